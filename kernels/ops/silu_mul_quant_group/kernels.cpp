#include "kernels/ops/catalogue.h"
#include "kernels/ops/silu_mul_quant_group/mx.h"
#include "kernels/ops/silu_mul_quant_group/rules.h"
#include "kernels/ops/silu_mul_quant_group/token.h"

namespace assay_kernels {
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

}  // namespace

std::vector<Kernel> silu_mul_quant_group_kernels() {
  return {silu_group_of_layouts(false, {"row", "col", "tma"}), silu_group_of_layouts(true, {"ue8m0x4_tma"}), silu_of_tokens<VllmSiluPerToken>(),
          silu_of_tokens<VllmSiluPerTokenUb>(), silu_of_tokens<VllmSiluPerTokenRounded>(), silu_of_mx_blocks()};
}

}  // namespace assay_kernels
