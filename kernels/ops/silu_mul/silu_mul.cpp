// The kernel table of act_and_mul, silu_mul_quant_group, _experts, _masked and _static, which describe() of the C ABI lists.
#include "kernels/ops/call.h"
#include "kernels/ops/silu_mul/act_and_mul_kernel.h"
#include "kernels/ops/silu_mul/silu_mul_quant_kernel.h"

namespace assay_kernels {
namespace {

void act_by_contract(const Call& call) {
  ActList::with(call.contract(), [&](auto rules) { run_act_and_mul<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> act_and_mul_kernels() {
  std::vector<std::string> contracts;
  ActList::append_ids(contracts, false);
  return {{"act_and_mul", "act_and_mul", contracts, {{"x", kAny}, {"warp", simt::kWarpSizes}}, {}, act_by_contract}};
}

namespace {

void silu_group_by_contract(const Call& call) {
  SiluGroupList::with(call.contract(), [&](auto rules) { run_silu_mul_quant_group<decltype(rules)>(call); });
}

Kernel silu_group_of_layouts(bool packed, const Values& layouts) {
  std::vector<std::string> contracts;
  SiluGroupList::append_ids(contracts, packed);
  return {"silu_mul_quant_group",
          "silu_mul_quant_group",
          contracts,
          {{"x", kHalf}, {"group_size", {32, 64, 128}}, {"layout", layouts}, {"warp", simt::kWarpSizes}},
          {},
          silu_group_by_contract};
}

template <class Rules>
Kernel silu_of_tokens() {
  return {"silu_mul_quant_token",
          "silu_mul_quant_group",
          {Rules::kContract},
          {{"x", kHalf}, {"layout", {"row"}}, {"warp", simt::kWarpSizes}},
          {{"n", 16}},
          run_silu_mul_quant_token<Rules>};
}

Kernel silu_of_mx_blocks() {
  return {"silu_mul_quant_mx",
          "silu_mul_quant_group",
          {VllmSiluMxfp8::kContract},
          {{"x", kHalf}, {"group_size", {32}}, {"layout", {"e8m0_128x4"}}, {"warp", simt::kWarpSizes}},
          {},
          run_silu_mul_quant_mx<VllmSiluMxfp8>};
}

template <class Rules>
Kernel silu_of_fp4_blocks(const Accepts& accepts) {
  return {"silu_mul_quant_fp4", "silu_mul_quant_group", {Rules::kContract}, accepts, {}, run_silu_mul_quant_fp4<Rules>};
}

}  // namespace

std::vector<Kernel> silu_mul_quant_group_kernels() {
  return {silu_group_of_layouts(false, {"row", "col", "tma"}), silu_group_of_layouts(true, {"ue8m0x4_tma"}), silu_of_tokens<VllmSiluPerToken>(),
          silu_of_tokens<VllmSiluPerTokenUb>(), silu_of_tokens<VllmSiluPerTokenRounded>(), silu_of_mx_blocks(),
          silu_of_fp4_blocks<VllmSiluNvfp4>(kNvfp4ExpertsAccepts), silu_of_fp4_blocks<FlashinferSiluNvfp4>(kNvfp4Accepts),
          silu_of_fp4_blocks<FlashinferSiluNvfp4Exact>(kNvfp4Accepts), silu_of_fp4_blocks<AiterSiluMxfp4>(kMxfp4Accepts)};
}

std::vector<Kernel> silu_mul_quant_experts_kernels() {
  return {{"silu_mul_quant_nvfp4_experts",
           "silu_mul_quant_experts",
           {VllmSiluNvfp4Experts::kContract},
           kNvfp4ExpertsAccepts,
           {},
           run_silu_mul_quant_fp4_experts<VllmSiluNvfp4Experts>},
          {"silu_mul_quant_mxfp4_experts",
           "silu_mul_quant_experts",
           {VllmSiluMxfp4Experts::kContract},
           kMxfp4ExpertsAccepts,
           {},
           run_silu_mul_quant_fp4_experts<VllmSiluMxfp4Experts>}};
}

namespace {

void silu_masked_by_contract(const Call& call) {
  SiluMaskedList::with(call.contract(), [&](auto rules) { run_silu_mul_quant_masked<decltype(rules)>(call); });
}

Kernel silu_masked_of_layouts(bool packed, const Values& layouts) {
  std::vector<std::string> contracts;
  SiluMaskedList::append_ids(contracts, packed);
  return {"silu_mul_quant_masked",
          "silu_mul_quant_masked",
          contracts,
          {{"x", {"bf16"}}, {"group_size", {128}}, {"layout", layouts}, {"warp", simt::kWarpSizes}},
          {},
          silu_masked_by_contract};
}

template <class Rules>
Kernel silu_masked_of_fp4() {
  return {"silu_mul_quant_nvfp4_masked", "silu_mul_quant_masked", {Rules::kContract}, kNvfp4ExpertsAccepts, {},
          run_silu_mul_quant_fp4_masked<Rules>};
}

}  // namespace

std::vector<Kernel> silu_mul_quant_masked_kernels() {
  return {silu_masked_of_layouts(false, {"col"}), silu_masked_of_layouts(true, {"ue8m0x4_col"}),
          silu_masked_of_fp4<FlashinferSiluNvfp4Experts>(), silu_masked_of_fp4<FlashinferSiluNvfp4ExpertsExact>()};
}

namespace {

void silu_static_by_contract(const Call& call) {
  SiluStaticList::with(call.contract(), [&](auto rules) { run_silu_mul_quant_given<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> silu_mul_quant_static_kernels() {
  std::vector<std::string> contracts;
  SiluStaticList::append_ids(contracts, false);
  return {{"silu_mul_quant_static",
           "silu_mul_quant_static",
           contracts,
           {{"x", kHalf}, {"group_size", {"tensor"}}, {"layout", {"row"}}, {"warp", simt::kWarpSizes}},
           {{"n", 8}},
           silu_static_by_contract}};
}

}  // namespace assay_kernels
