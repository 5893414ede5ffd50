// The kernels of rms_norm_quant_static and rms_norm_double_quant, and the kernels of rms_norm_quant_group that work per token or
// after an all-reduce.
#include "kernels/ops/call.h"
#include "kernels/ops/rms_norm_quant/rms_norm_quant_group_contracts.h"
#include "kernels/ops/rms_norm_quant/rms_norm_quant_group_kernel.h"
#include "kernels/ops/rms_norm_quant/rms_norm_quant_static_kernel.h"

namespace assay_kernels {

void run_norm_token(const Call& call) {
  NormTokenList::with(call.contract(), [&](auto rules) { run_rms_norm_quant_token<decltype(rules)>(call); });
}

void run_norm_aiter_token(const Call& call) {
  NormAiterTokenList::with(call.contract(), [&](auto rules) { run_rms_norm_quant_token<decltype(rules)>(call); });
}

// Norms after an all-reduce.

void run_norm_rank_token(const Call& call) {
  NormRankTokenList::with(call.contract(), [&](auto rules) { run_rms_norm_quant_token<decltype(rules)>(call); });
}

void run_norm_rank_group(const Call& call) {
  NormRankGroupList::with(call.contract(), [&](auto rules) { run_rms_norm_quant_group<decltype(rules)>(call); });
}

void run_norm_static(const Call& call) {
  NormStaticList::with(call.contract(), [&](auto rules) { run_rms_norm_quant_static<decltype(rules)>(call); });
}

std::vector<Kernel> rms_norm_quant_static_kernels() {
  return {{"rms_norm_quant_static",
           "rms_norm_quant_static",
           NormStaticList::ids(),
           {{"x", kHalf}, {"group_size", {"tensor"}}, {"layout", {"row"}}, {"warp", simt::kWarpSizes}},
           {},
           run_norm_static}};
}

namespace {

void double_quant_by_contract(const Call& call) {
  DoubleList::with(call.contract(), [&](auto rules) { run_double<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> rms_norm_double_quant_kernels() {
  return {{"rms_norm_double_quant",
           "rms_norm_double_quant",
           DoubleList::ids(),
           {{"x", kHalf}, {"group_size", {128}}, {"layout", {"row", "col"}}, {"warp", simt::kWarpSizes}},
           {},
           double_quant_by_contract}};
}

}  // namespace assay_kernels
