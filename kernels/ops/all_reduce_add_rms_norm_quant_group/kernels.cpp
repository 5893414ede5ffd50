#include "kernels/ops/all_reduce_add_rms_norm/quantized.h"
#include "kernels/ops/rms_norm_quant_group/apart.h"

namespace assay_kernels {
namespace {

constexpr const char* kGroupOp = "all_reduce_add_rms_norm_quant_group";

/// Which norm stands in such a contract.
template <void (*kNorm)(const Call&)>
struct ThenGroups {
  static const char* contract(const std::string& whole) {
    static const std::pair<const char*, const char*> kHalves[] = {
        {"vllm.all_reduce_add_rms_norm_token_fp8", "vllm.add_rms_norm_dynamic_per_token_quant"},
        {"vllm.all_reduce_add_rms_norm_group_fp8", "vllm.add_rms_norm_per_block_quant@v0.33.0"},
        {"flashinfer.all_reduce_add_rms_norm_token_fp8_oneshot", "flashinfer.trtllm_add_rms_norm_token_fp8"},
        {"flashinfer.all_reduce_add_rms_norm_token_fp8_twoshot", "flashinfer.trtllm_add_rms_norm_token_fp8"},
        {"flashinfer.all_reduce_add_rms_norm_group_packed_oneshot", "flashinfer.trtllm_add_rms_norm_group_packed"},
        {"flashinfer.all_reduce_add_rms_norm_group_packed_twoshot", "flashinfer.trtllm_add_rms_norm_group_packed"},
        {"aiter.all_reduce_add_rms_norm_token_fp8_ftz", "aiter.ar_add_rms_norm_token_fp8_ftz"},
        {"aiter.all_reduce_add_rms_norm_token_fp8_ftz_gfx942", "aiter.ar_add_rms_norm_token_fp8_ftz_gfx942"},
        {"aiter.all_reduce_add_rms_norm_token_fp8_ftz_2stage", "aiter.ar_add_rms_norm_token_fp8_ftz_2stage"},
        {"aiter.all_reduce_add_rms_norm_group_fp8_ftz", "aiter.ar_add_rms_norm_group_fp8_ftz"},
        {"aiter.all_reduce_add_rms_norm_group_fp8_ftz_gfx942", "aiter.ar_add_rms_norm_group_fp8_ftz_gfx942"},
        {"aiter.all_reduce_add_rms_norm_group_fp8_ftz_2stage", "aiter.ar_add_rms_norm_group_fp8_ftz_2stage"},
        {"aiter.all_reduce_add_rms_norm_token_fp8_ftz_2stage_gfx942", "aiter.ar_add_rms_norm_token_fp8_ftz_2stage_gfx942"},
        {"aiter.all_reduce_add_rms_norm_group_fp8_ftz_2stage_gfx942", "aiter.ar_add_rms_norm_group_fp8_ftz_2stage_gfx942"}};
    for (const auto& [id, half] : kHalves)
      if (whole == id) return half;
    unsupported("contract " + whole);
  }
  static void run(const Call& call) { kNorm(call); }
};

using OneShot = LamportRules<FlushingSums, MinusZeroIsEmpty>;

struct Scales {
  Values groups, layouts;
};
const Scales kToken{{"row"}, {"row"}}, kBlock{{64, 128}, {"row", "col", "tma"}}, kGroup{{32, 64, 128}, {"row", "col"}},
    kPacked{{32, 64, 128}, {"ue8m0x4_tma"}};

template <RankRun kSum, void (*kNorm)(const Call&)>
Kernel group_row(const char* protocol, const char* contract, const Scales& scales, AreaRequest (*area)(const Call&) = barrier_area_with_sums,
              const Values& x = kHalf) {
  Kernel row = all_reduce_row("", {contract}, run_fused_quantized<ThenGroups<kNorm>, kSum>, area);
  row.name = std::string(kGroupOp) + "." + protocol;
  row.op = kGroupOp;
  row.accepts = {{"x", x}, {"group_size", scales.groups}, {"layout", scales.layouts}, {"warp", simt::kWarpSizes}};
  return row;
}

}  // namespace

std::vector<Kernel> all_reduce_add_rms_norm_quant_group_kernels() {
  const char *one = "one_shot", *two = "two_shot", *lamport = "lamport";
  const Values bf16{"bf16"};
  return {
      group_row<run_one_shot<AbsoluteRules>, run_norm_token>(one, "vllm.all_reduce_add_rms_norm_token_fp8", kToken),
      group_row<run_one_shot<AbsoluteRules>, run_norm_block>(one, "vllm.all_reduce_add_rms_norm_group_fp8", kBlock),
      group_row<run_lamport<OneShot>, run_norm_rank_token>(lamport, "flashinfer.all_reduce_add_rms_norm_token_fp8_oneshot", kToken, minus_zero_area_with_sums),
      group_row<run_two_shot<FlushingSums>, run_norm_rank_token>(two, "flashinfer.all_reduce_add_rms_norm_token_fp8_twoshot", kToken),
      group_row<run_lamport<OneShot>, run_norm_rank_group>(lamport, "flashinfer.all_reduce_add_rms_norm_group_packed_oneshot", kPacked, minus_zero_area_with_sums),
      group_row<run_two_shot<FlushingSums>, run_norm_rank_group>(two, "flashinfer.all_reduce_add_rms_norm_group_packed_twoshot", kPacked),
      group_row<run_one_shot<FlushingSums>, run_norm_rank_token>(one, "aiter.all_reduce_add_rms_norm_token_fp8_ftz", kToken),
      group_row<run_one_shot<CutOffSum<FlushingSums>>, run_norm_rank_token>(one, "aiter.all_reduce_add_rms_norm_token_fp8_ftz_gfx942", kToken, barrier_area_with_sums, bf16),
      group_row<run_two_shot<FlushingSums>, run_norm_rank_token>(two, "aiter.all_reduce_add_rms_norm_token_fp8_ftz_2stage", kToken),
      group_row<run_one_shot<FlushingSums>, run_norm_rank_group>(one, "aiter.all_reduce_add_rms_norm_group_fp8_ftz", kGroup),
      group_row<run_one_shot<CutOffSum<FlushingSums>>, run_norm_rank_group>(one, "aiter.all_reduce_add_rms_norm_group_fp8_ftz_gfx942", kGroup, barrier_area_with_sums, bf16),
      group_row<run_two_shot<FlushingSums>, run_norm_rank_group>(two, "aiter.all_reduce_add_rms_norm_group_fp8_ftz_2stage", kGroup),
      group_row<run_two_shot<CutOffSum<FlushingSums>>, run_norm_rank_token>(two, "aiter.all_reduce_add_rms_norm_token_fp8_ftz_2stage_gfx942", kToken, barrier_area_with_sums, bf16),
      group_row<run_two_shot<CutOffSum<FlushingSums>>, run_norm_rank_group>(two, "aiter.all_reduce_add_rms_norm_group_fp8_ftz_2stage_gfx942", kGroup, barrier_area_with_sums, bf16),
  };
}

}  // namespace assay_kernels
