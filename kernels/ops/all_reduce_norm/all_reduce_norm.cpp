// The kernel table of all_reduce_rms_norm, all_reduce_add_rms_norm and its two variants with quantization, which describe() of the C ABI lists.
#include "kernels/ops/all_reduce_norm/all_reduce_add_rms_norm_kernel.h"
#include "kernels/ops/all_reduce_norm/all_reduce_rms_norm_kernel.h"
#include "kernels/ops/rms_norm_quant/rms_norm_quant_group_contracts.h"
#include "kernels/ops/rms_norm_quant/rms_norm_quant_static_kernel.h"

namespace assay_kernels {

std::vector<Kernel> all_reduce_rms_norm_kernels() {
  const char *one = "all_reduce_rms_norm.lamport", *both = "all_reduce_rms_norm.qk_lamport";
  return {squares_row<MiniMaxRules>(one, "vllm.minimax_all_reduce_rms_norm"),
          squares_row<MiniMaxRules>(one, "vllm.minimax_all_reduce_rms_norm_16"),
          squares_row<MiniMaxQkRules>(both, "vllm.minimax_all_reduce_qk_rms_norm"),
          squares_row<MiniMaxQkRules>(both, "vllm.minimax_all_reduce_qk_rms_norm_16")};
}

// The fused ops run two kernels in sequence: an all-reduce, then a norm. vLLM does the same without fusion. AITER also runs two
// kernels if a message is too large for its one-stage kernel.

namespace {

using Norm = VllmFusedAddRmsNorm20260618;

}  // namespace

std::vector<Kernel> all_reduce_add_rms_norm_kernels() {
  return {fused_row<Norm, run_one_shot<AbsoluteRules>>("all_reduce_add_rms_norm.one_shot", "vllm.all_reduce_add_rms_norm"),
          fused_row<FlashinferTrtllmAddRmsNorm, run_two_shot<FlushingSums>>("all_reduce_add_rms_norm.two_shot",
                                                       "flashinfer.all_reduce_add_rms_norm_twoshot"),
          fused_row<FlashinferTrtllmAddRmsNorm, run_lamport<LamportRules<FlushingSums, MinusZeroIsEmpty>>>(
              "all_reduce_add_rms_norm.lamport", "flashinfer.all_reduce_add_rms_norm_oneshot", minus_zero_area),
          fused_row<FlashinferMnnvlAddRmsNorm, run_lamport<LamportRules<FlushingSum<FromZeroRules>, MinusZeroIsEmpty>>>(
              "all_reduce_add_rms_norm.lamport", "flashinfer.all_reduce_add_rms_norm_mnnvl_oneshot", minus_zero_area),
          combined_row<FlashinferMoeFinalize, FlashinferTrtllmAddRmsNorm,
                       run_lamport<LamportRules<NativeRules<FlushingSums>, MinusZeroIsEmpty>>>(
              "all_reduce_add_rms_norm.combine_lamport", "flashinfer.moe_finalize_all_reduce_add_rms_norm")};
}

namespace {

constexpr const char* kGroupOp = "all_reduce_add_rms_norm_quant_group";

/// The second kernel of a fused op. contract() returns the contract of the norm in a fused contract.
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
        {"flashinfer.all_reduce_add_rms_norm_nvfp4_oneshot", "flashinfer.trtllm_add_rms_norm_nvfp4"},
        {"flashinfer.all_reduce_add_rms_norm_nvfp4_twoshot", "flashinfer.trtllm_add_rms_norm_nvfp4"},
        {"aiter.all_reduce_add_rms_norm_mxfp4_ftz", "aiter.ar_add_rms_norm_mxfp4_ftz"},
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
    unsupported("this kernel does not support contract " + whole);
  }
  static void run(const Call& call) { kNorm(call); }
};

using OneShot = LamportRules<FlushingSums, MinusZeroIsEmpty>;

struct Scales {
  Values groups, layouts;
};
const Scales kToken{{"row"}, {"row"}}, kBlock{{64, 128}, {"row", "col", "tma"}}, kGroup{{32, 64, 128}, {"row", "col"}},
    kPacked{{32, 64, 128}, {"ue8m0x4_tma"}}, kNvfp4{{"16+tensor"}, {"ue4m3_row", "ue4m3_128x4"}}, kMxfp4{{32}, {"e8m0_row"}};

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
      group_row<run_lamport<OneShot>, run_norm_rank_fp4>(lamport, "flashinfer.all_reduce_add_rms_norm_nvfp4_oneshot", kNvfp4, minus_zero_area_with_sums),
      group_row<run_two_shot<FlushingSums>, run_norm_rank_fp4>(two, "flashinfer.all_reduce_add_rms_norm_nvfp4_twoshot", kNvfp4),
      group_row<run_one_shot<FlushingSums>, run_norm_rank_fp4>(one, "aiter.all_reduce_add_rms_norm_mxfp4_ftz", kMxfp4),
      group_row<run_two_shot<FlushingSums>, run_norm_rank_fp4>(two, "aiter.all_reduce_add_rms_norm_mxfp4_ftz", kMxfp4),
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

namespace {

constexpr const char* kStaticOp = "all_reduce_add_rms_norm_quant_static";

struct ThenStatic {
  static const char* contract(const std::string& whole) {
    return whole.rfind("vllm.", 0) == 0 ? "vllm.fused_add_rms_norm_static_fp8_quant@2026-06-18" : "flashinfer.trtllm_add_rms_norm_fp8";
  }
  static void run(const Call& call) { run_norm_static(call); }
};

template <RankRun kSum>
Kernel static_row(const char* protocol, const char* contract, AreaRequest (*area)(const Call&)) {
  Kernel row = all_reduce_row("", {contract}, run_fused_quantized<ThenStatic, kSum>, area, true);
  row.name = std::string(kStaticOp) + "." + protocol;
  row.op = kStaticOp;
  return row;
}

}  // namespace

std::vector<Kernel> all_reduce_add_rms_norm_quant_static_kernels() {
  return {static_row<run_one_shot<AbsoluteRules>>("one_shot", "vllm.all_reduce_add_rms_norm_fp8", barrier_area_with_sums),
          static_row<run_two_shot<FlushingSums>>("two_shot", "flashinfer.all_reduce_add_rms_norm_fp8_twoshot", barrier_area_with_sums),
          static_row<run_lamport<LamportRules<FlushingSums, MinusZeroIsEmpty>>>("lamport", "flashinfer.all_reduce_add_rms_norm_fp8_oneshot", minus_zero_area_with_sums)};
}

}  // namespace assay_kernels
