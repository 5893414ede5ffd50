// The kernels of rank_quant_faults.h with the regressions they are.
#include "kernels/faulty/rank_quant_faults.h"

namespace assay_kernels {
namespace {

constexpr const char* kOp = "all_reduce_add_rms_norm_quant_group";

/// A norm of those rules behind a sum. Its contract is named in what it refuses alone.
template <class Rules, void (*kRun)(const Call&)>
struct Then {
  static const char* contract(const std::string&) { return Rules::kContract; }
  static void run(const Call& call) { kRun(call); }
};

template <class Rules, void (*kRun)(const Call&), RankRun kSum>
Kernel row_of(const char* name, const char* contract, const char* protocol, const Values& groups, const Values& layouts, const char* cites) {
  Kernel row = all_reduce_row(name, {contract}, run_fused_quantized<Then<Rules, kRun>, kSum>, barrier_area_with_sums);
  row.op = kOp;
  row.accepts = {{"x", kHalf}, {"group_size", groups}, {"layout", layouts}, {"warp", simt::kWarpSizes}};
  row.fault = name;
  row.cites = cites;
  row.twin = std::string(kOp) + "." + protocol;
  return row;
}

template <class Rules, RankRun kSum>
Kernel of_tokens(const char* name, const char* contract, const char* protocol, const char* cites) {
  return row_of<Rules, run_rms_norm_quant_token<Rules>, kSum>(name, contract, protocol, {"row"}, {"row"}, cites);
}

template <class Rules, RankRun kSum>
Kernel of_groups(const char* name, const char* contract, const char* protocol, const Values& layouts, const char* cites) {
  return row_of<Rules, run_rms_norm_quant_group<Rules>, kSum>(name, contract, protocol, {32, 64, 128}, layouts, cites);
}

}  // namespace

std::vector<Kernel> rank_quant_faults() {
  const char *packed = "flashinfer.all_reduce_add_rms_norm_group_packed_twoshot", *token = "aiter.all_reduce_add_rms_norm_token_fp8_ftz";
  return {of_tokens<GroupAfterNorm<AiterArToken, ZeroScale>, run_one_shot<FlushingSums>>(
              "fused_zero_scale", token, "one_shot", "no regression known; aiter e4048607 says 1 for an amax of 0, its all-reduce in fp8 does not"),
          of_tokens<GroupAfterNorm<AiterArToken, ScaleKept>, run_one_shot<FlushingSums>>(
              "fused_scale_not_flushed", token, "one_shot", "aiter/jit/core.py e4048607: -fgpu-flush-denormals-to-zero left off"),
          of_tokens<AnotherNorm<AiterArToken, AiterArNormRounded>, run_one_shot<FlushingSums>>(
              "fused_rounded_before_codes", token, "one_shot", "vllm 41825: which of two fused norms is rounded before its codes"),
          of_tokens<AiterArToken, run_one_shot<RankOrderDescending>>("fused_order_descending", token, "one_shot",
                                                                     "vllm 50136, 57042; sglang 34159: another order of the same sums"),
          of_groups<AnotherNorm<FlashinferTrtllmNormPacked, MissingTail<FlashinferTrtllmAddRmsNorm>>, run_two_shot<FlushingSums>>(
              "fused_rms_over_part", packed, "two_shot", {"ue8m0x4_tma"}, "flashinfer 3879: RMS over 2560 of 2880 elements"),
          of_groups<GroupAfterNorm<FlashinferTrtllmNormPacked, PackedFloor>, run_two_shot<FlushingSums>>(
              "fused_floor_for_ceil", packed, "two_shot", {"ue8m0x4_tma"}, "no regression known; the exponent field as it is, where one is added unless the mantissa is 0")};
}

}  // namespace assay_kernels
