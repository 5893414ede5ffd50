#include "kernels/faulty/rank_faults.h"

namespace assay_kernels {
namespace {

Kernel of_ranks(const char* name, const char* contract, void (*run)(const Call&, const Ranks&, int, int), const char* twin,
                const char* cites, AreaRequest (*area)(const Call&) = signals_and_buffer, const Values& x = kAny) {
  Kernel row = all_reduce_row(name, {contract}, run, area);
  row.accepts.front() = {"x", x};
  row.fault = name;
  row.cites = cites;
  row.twin = twin;
  return row;
}

template <class NormRules, RankRun kSum>
Kernel of_fused(const char* name, const char* contract, const char* twin, const char* cites,
                AreaRequest (*area)(const Call&) = signals_and_buffer) {
  Kernel row = fused_row<NormRules, kSum>(name, contract, area);
  row.fault = name;
  row.cites = cites;
  row.twin = twin;
  return row;
}

}  // namespace

std::vector<Kernel> rank_faults() {
  const char *one = "all_reduce.one_shot", *two = "all_reduce.two_shot", *lamport = "all_reduce.lamport",
             *coded = "all_reduce.coded";
  const Values half{"f16"};
  const char *vllm1 = "vllm.all_reduce_1stage", *vllm2 = "vllm.all_reduce_2stage";
  return {
      of_ranks("rank_dropped", vllm1, run_one_shot<RankDropped>, one,
               "no regression known; the coarsest mistake of a loop over peers"),
      of_ranks("rank_counted_twice", "aiter.all_reduce_1stage", run_one_shot<RankCountedTwice>, one,
               "no regression known; survives where all ranks have the same numbers"),
      of_ranks("rank_order_of_reader", vllm1, run_one_shot<RankOrderOfReader>, one,
               "flashinfer trtllm_allreduce.cuh fb28d724: index of the one-shot push mode, as read"),
      of_ranks("rank_order_absolute", vllm2, run_two_shot<RankOrderAbsolute>, two,
               "vllm 50136, 57042; sglang 34159: another order of the same sums"),
      of_ranks("rank_sums_in_t", vllm1, run_one_shot<RankSumsInT>, one,
               "flashinfer trtllm_allreduce_fusion.cuh fb28d724: fp32_acc left off"),
      of_ranks("rank_sums_in_f16", vllm1, run_one_shot<RankSumsInF16>, one, "sglang 34473, vllm 55345: bf16 in fp16",
               signals_and_buffer, Values{"bf16"}),
      of_ranks("rank_sums_in_f32", "quickreduce.all_reduce_fp_bf16", run_two_shot<RankSumsInF32>, two,
               "no regression known; better than its contract, and other bits", signals_and_buffer, Values{"bf16"}),
      of_ranks("rank_sum_to_inf", "quickreduce.all_reduce_fp.gfx942", run_two_shot<RankSumToInf>, two,
               "vllm csrc/rocm/quickreduce/base.h v0.33.0: set_fp16_ovfl under gfx942 alone", signals_and_buffer, half),
      of_ranks("rank_cast_unscaled", "sglang.quick_all_reduce_fp_cast", run_two_shot<RankCastUnscaled>, two,
               "sglang 34473: bf16 beyond 65504 in fp16", signals_and_buffer, Values{"bf16"}),
      of_ranks("rank_truncated", vllm2, run_two_shot<RankTruncated>, two,
               "no regression known; survives every tolerance of these tests"),
      of_ranks("rank_from_zero", "aiter.all_reduce_1stage", run_one_shot<RankFromZero>, one,
               "sglang 7723177a3b begins with +0 where vllm c9eabec7d8 does not"),
      of_ranks("rank_subnormals_kept", "aiter.all_reduce_1stage", run_one_shot<RankSubnormalsKept>, one,
               "aiter/jit/core.py e4048607: -fgpu-flush-denormals-to-zero left off"),
      of_ranks("rank_rounded", "aiter.all_reduce_1stage_gfx942", run_one_shot<RankRounded>, one,
               "aiter issue 5151: bf16 on gfx942 by another rule than opus has", signals_and_buffer, Values{"bf16"}),
      of_ranks("rank_misses", vllm1, run_one_shot<RankMisses>, one, "vllm 30650: a rank whose reduction was skipped"),
      of_ranks("rank_barrier_relaxed", vllm2, run_two_shot<RankBarrierRelaxed>, two,
               "aiter 2890, TensorRT-LLM 8612: a barrier without release"),
      of_ranks("rank_barrier_missing", vllm2, run_two_shot<RankBarrierMissing>, two,
               "vllm 2760: no order between the two stages"),
      of_ranks("rank_end_missing", vllm1, run_registered<RankEndMissing>, "all_reduce.registered",
               "aiter 2890: a barrier at the end that holds nobody back"),
      of_ranks("rank_flag_frozen", vllm2, run_two_shot<RankFlagFrozen>, two,
               "vllm 46913: the colour of a flag frozen at capture"),
      of_ranks("rank_segment_next", vllm2, run_two_shot<RankSegmentNext>, two,
               "FasterTransformer 672: the gather index of two shots"),
      of_ranks("rank_rest_left", vllm2, run_two_shot<RankRestLeft>, two,
               "nccl 1950, rocm-systems 7711: the tail of a message dropped"),
      of_ranks("rank_sentinel_by_value", "flashinfer.all_reduce_oneshot", run_lamport<RankSentinelByValue>, lamport,
               "flashinfer 1136: +0 taken for -0, endless polling", minus_zero_area),
      of_ranks("rank_sentinel_sent", "flashinfer.all_reduce_oneshot", run_lamport<RankSentinelSent>, lamport,
               "flashinfer 3053: a deadlock on numbers like the sentinel", minus_zero_area),
      of_ranks("rank_sentinel_of_numbers", "sglang.all_reduce_v2_push@v0.5.19", run_lamport<RankSentinelOfNumbers>, lamport,
               "sglang v0.5.18 csrc/distributed/custom_all_reduce.cuh: each +0 is sent as -0, where v0.5.19 looks at words",
               plus_zero_area),
      of_ranks("rank_buffer_stale", "sglang.all_reduce_v2_push", run_lamport<RankBufferStale>, lamport,
               "vllm 25892, sglang 11609: buffers of consecutive calls overlap", plus_zero_area),
      of_ranks("rank_room_by_size", "sglang.all_reduce_v2_push", run_lamport<RankRoomBySize>, lamport,
               "vllm 25892, sglang 11609, aiter 1191: places that depend on the size, sizes that alternate", plus_zero_area),
      of_ranks("rank_buffer_by_count", "flashinfer.all_reduce_oneshot", run_lamport<RankBufferByCount>, lamport,
               "no regression known; the remainder by three of a count that wraps", minus_zero_area),
      of_ranks("rank_waits_while_less", vllm2, run_two_shot<RankWaitsWhileLess>, two,
               "vllm csrc/custom_all_reduce.cuh c9eabec7d8: flags compared by < on ROCm"),
      of_ranks("rank_gives_up", vllm2, run_two_shot<RankGivesUp>, two,
               "no regression known; a bounded wait whose end is taken for an arrival"),
      of_ranks("rank_flag_wiped", vllm2, run_two_shot<RankFlagWiped>, two,
               "vllm 8410, tvm 16797: a flag put back by who waited for it, behind a fast peer's next one"),
      of_ranks("rank_chunks_forgotten", "flashinfer.all_reduce_mnnvl_oneshot_16", run_lamport<RankChunksForgotten>, lamport,
               "flashinfer trtllm_mnnvl_allreduce.cuh fb28d724: two shots have no chunks of 8", minus_zero_area),
      of_ranks("rank_in_place", "sglang.all_reduce_v2_pull", run_one_shot<RankInPlace>, two,
               "nccl 1924: in place where peers still read"),
      of_ranks("codec_owner_keeps", "quickreduce.all_reduce_int8.gfx942", run_coded<CodecOwnerKeeps>, coded,
               "b12x 44: the owner kept its value from before the wire", coded_area, half),
      of_ranks("codec_one_scale", "quickreduce.all_reduce_int4.gfx942", run_coded<CodecOneScale>, coded,
               "no regression known; the packed extreme of two halves taken for one", coded_area, half),
      of_ranks("codec_one_pass", "quickreduce.all_reduce_int4.gfx950", run_coded<CodecOnePass>, coded,
               "no regression known; better than its contract, and other bits", coded_area, half),
      of_ranks("codec_symmetric", "quickreduce.all_reduce_int4.gfx942", run_coded<CodecSymmetric>, coded,
               "no regression known; the range of codes as other quantizations have it", coded_area, half),
      of_ranks("codec_overflow_to_inf", "quickreduce.all_reduce_int8.gfx942", run_coded<CodecOverflowToInf>, coded,
               "sglang 40084, 34473: FP16_OVFL armed on one chip and not on the next", coded_area, half),
      of_ranks("codec_saturates", "aiter.all_reduce_fp8_nosat.gfx942", run_owner_keeps<CodecSaturates>, "all_reduce.owner_keeps",
               "rocm-systems 9556: v_cvt_pk_fp8_f32 taken for one that saturates", owner_keeps_area<CodecSaturates>, half),
      of_ranks("codec_inf_saturates", "quickreduce.all_reduce_fp8_nosat.gfx950", run_coded<CodecInfSaturates>, coded,
               "rocm-systems 9556: v_cvt_pk_fp8_f32 taken for one that saturates", coded_area, half),
      of_ranks("codec_eps_forgotten", "quickreduce.all_reduce_int4_bf16", run_coded<CodecEpsForgotten>, coded,
               "no regression known; the reciprocal of a group of zeros", coded_area, Values{"bf16"}),
      of_ranks("codec_owner_reads", "aiter.all_reduce_fp8_nosat.gfx950", run_owner_keeps<CodecOwnerReads>, "all_reduce.owner_keeps",
               "b12x 44: the mend of that design, under the contract of one that has it", owner_keeps_area<CodecOwnerReads>,
               half),
      of_ranks("codec_half_the_group", "aiter.all_reduce_fp8_g64_nosat.gfx950", run_owner_keeps<CodecHalfTheGroup>,
               "all_reduce.owner_keeps", "no regression known; the group of parts that 64 does not divide",
               owner_keeps_area<CodecHalfTheGroup>, half),
      of_ranks("codec_stripe_next", "flashinfer.all_reduce_fp8_twoshot", run_owner_keeps<CodecStripeNext>,
               "all_reduce.owner_keeps", "no regression known; all sums are right and another rank keeps its own",
               owner_keeps_area<CodecStripeNext>, Values{"bf16"}),
      of_ranks("codec_magnitude", "quickreduce.all_reduce_int8.gfx950", run_coded<CodecMagnitude>, coded,
               "no regression known; amax where the extreme has its sign", coded_area, half),
      of_fused<VllmFusedAddRmsNorm20260618, run_one_shot<RankDropped>>("fused_rank_dropped", "vllm.all_reduce_add_rms_norm",
                                                                       "all_reduce_add_rms_norm.one_shot",
                                                                       "no regression known; the sum behind the norm"),
      of_fused<VllmFusedAddRmsNormV0191, run_one_shot<AbsoluteRules>>(
          "fused_rounded_before_weight", "vllm.all_reduce_add_rms_norm", "all_reduce_add_rms_norm.one_shot",
          "vllm PR 46070: releases before it round before the weight"),
      of_fused<FusedSquaresInF32, run_lamport<LamportRules<FlushingSum<FromZeroRules>, MinusZeroIsEmpty>>>(
          "fused_squares_in_f32", "flashinfer.all_reduce_add_rms_norm_mnnvl_oneshot", "all_reduce_add_rms_norm.lamport",
          "flashinfer trtllm_mnnvl_allreduce.cuh fb28d724: its two shots square in fp32", minus_zero_area),
      of_fused<VllmFusedAddRmsNorm20260618, run_one_shot<RankMisses>>("fused_rank_misses", "vllm.all_reduce_add_rms_norm",
                                                                      "all_reduce_add_rms_norm.one_shot",
                                                                      "vllm 30650: a rank whose reduction was skipped"),
  };
}

}  // namespace assay_kernels
