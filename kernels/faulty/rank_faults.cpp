// Faulty all-reduces, alone and fused with norms. Each description cites a bug report or source, or says that the fault is invented.

#include "kernels/faulty/norm_faults.h"
#include "kernels/ops/all_reduce_norm/all_reduce_add_rms_norm_kernel.h"
#include "kernels/ops/all_reduce_norm/all_reduce_rms_norm_kernel.h"
#include "kernels/ops/rms_norm_quant/rms_norm_quant_group_contracts.h"
#include "kernels/ops/rms_norm_quant/rms_norm_quant_group_kernel.h"

namespace assay_kernels {

// All-reduce: the correct kernel's rules with one mistake.

/// Leaves out the last rank: the loop over peers ends one rank early.
struct RankDropped : AbsoluteRules {
  SIMT_DEVICE static int count(int /*reader*/, int ranks) { return ranks - 1; }
};

/// Adds rank 0 twice: the sum starts with rank 0, and the loop begins with rank 0.
struct RankCountedTwice : FlushingSum<AbsoluteRules> {
  SIMT_DEVICE static int count(int /*reader*/, int ranks) { return ranks + 1; }
  SIMT_DEVICE static int rank_of(int i, int /*owner*/, int /*reader*/, int /*ranks*/) { return i == 0 ? 0 : i - 1; }
};

/// Each rank starts the sum with its own value; the contract starts with rank 0's.
struct RankOrderOfReader : AbsoluteRules {
  SIMT_DEVICE static int rank_of(int i, int /*owner*/, int reader, int ranks) { return (reader + i) % ranks; }
};

/// The owner of a part starts its sum with rank 0's value, as one-shot kernels do; the contract starts with the owner's value.
struct RankOrderAbsolute : FromOwnerRules {
  SIMT_DEVICE static int rank_of(int i, int /*owner*/, int /*reader*/, int /*ranks*/) { return i; }
};

/// Rounds every partial sum to the type of x.
struct RankSumsInT : NativeRules<AbsoluteRules> {};

/// Rounds every partial sum to fp16, whatever the type of x.
struct RankSumsInF16 : AbsoluteRules {
  template <class T>
  SIMT_DEVICE static float sum(float a, float b) {
    return rounded_to<simt::F16>(a + b);
  }
};

/// Adds in fp32; the contract uses packed additions in the type of x.
struct RankSumsInF32 : FromZeroRules {};

/// Truncates the result; the contract rounds it to nearest.
struct RankTruncated : FromOwnerRules {
  template <class T>
  SIMT_DEVICE static T result(float sum) {
    if constexpr (sizeof(T) == 2) {
      const T nearest = simt::from_float<T>(sum);
      const bool away = simt::magnitude(simt::to_float(nearest)) > simt::magnitude(sum);
      return away ? T{uint16_t(nearest.bits - 1)} : nearest;
    } else {
      return sum;
    }
  }
};

/// Starts sums from +0, so a sum of -0 becomes +0.
struct RankFromZero : FlushingSum<FromZeroRules> {};

/// Keeps subnormals, as in a build without the flag that flushes them.
struct RankSubnormalsKept : AbsoluteRules {};

/// Rounds bf16 results to nearest, in a contract for a GPU whose kernels truncate them.
struct RankRounded : FlushingSum<AbsoluteRules> {};

/// The last rank returns its own input instead of the sum.
struct RankMisses : AbsoluteRules {
  SIMT_DEVICE static int count(int reader, int ranks) { return reader + 1 == ranks ? 1 : ranks; }
  SIMT_DEVICE static int rank_of(int i, int /*owner*/, int reader, int ranks) { return reader + 1 == ranks ? reader : i; }
};

/// The flags of the middle barrier do not release earlier writes, so peers may read old data.
struct RankBarrierRelaxed : FromOwnerRules {
  static constexpr bool kReleases = false;
};

/// Leaves out the middle barrier.
struct RankBarrierMissing : FromOwnerRules {
  static constexpr bool kWaitsInTheMiddle = false;
};

/// Leaves out the final barrier, so the copy of the next call may overwrite data that peers still read.
struct RankEndMissing : AbsoluteRules {
  static constexpr bool kWaitsAtTheEnd = false;
};

/// Uses the same flag value in every call, so the flags of the previous call let all ranks pass the barrier.
struct RankFlagFrozen : FromOwnerRules {
  static constexpr bool kCountsCalls = false;
};

/// Copies each part of the result from the rank after its owner; the owner is the rank that summed it.
struct RankSegmentNext : FromOwnerRules {
  SIMT_DEVICE static int segment_of(int owner, int ranks) { return (owner + 1) % ranks; }
};

/// Divides the message into equal parts, one per rank, and does not add the elements that remain.
struct RankRestLeft : FromOwnerRules {
  static constexpr bool kTakesRest = false;
};

/// Recognizes "nothing received" by comparing with 0 as a float; +0 then counts as nothing too.
struct SentinelByValue : MinusZeroIsEmpty {
  template <class T>
  SIMT_DEVICE static bool empty(T v) {
    return simt::to_float(v) == 0.0f;
  }
};
struct RankSentinelByValue : LamportRules<FlushingSum<AbsoluteRules>, SentinelByValue> {};

/// Sends -0 unchanged, so the receiver never notices that it has arrived.
struct RankSentinelSent : LamportRules<FlushingSum<AbsoluteRules>, MinusZeroIsEmpty> {
  template <class T>
  SIMT_DEVICE static T sent(T v) {
    return v;
  }
};

/// Compares each 16-bit element with the sentinel, which is defined on 32-bit words.
struct RankSentinelOfNumbers : LamportRules<AbsoluteRules, PlusZeroIsEmpty> {};

/// Does not fill the buffer of the previous call with the sentinel.
struct RankBufferStale : LamportRules<FromZeroRules, PlusZeroIsEmpty> {
  SIMT_DEVICE static int64_t cleared(int64_t /*packets*/) { return 0; }
};

/// In the buffer, places each rank's data at rank * message size. A later call with another size therefore clears wrong places.
struct RankRoomBySize : LamportRules<FromZeroRules, PlusZeroIsEmpty> {
  SIMT_DEVICE static int64_t room(int64_t /*of_area*/, int64_t of_message) { return of_message; }
};

/// Chooses the buffer by a 32-bit call counter modulo the number of buffers, which jumps when the counter wraps.
struct RankBufferByCount : LamportRules<FlushingSum<AbsoluteRules>, MinusZeroIsEmpty> {
  SIMT_DEVICE static uint32_t behind(uint32_t call, uint32_t /*buffers*/) { return call + 1; }
};

/// Waits while the flag is less than the expected value. After the counters have wrapped, no rank waits.
struct RankWaitsWhileLess : FromOwnerRules {
  static constexpr bool kWaitsOtherwise = true;
  static bool waited(const uint32_t* at, uint32_t flag) {
    return simt::cpu::wait_until(
        [](const void* a, uint64_t v) { return __atomic_load_n(static_cast<const uint32_t*>(a), __ATOMIC_ACQUIRE) >= v; }, at,
        flag);
  }
};

/// Continues after a fixed number of polls, even if the flag has not arrived. This is enough for all ranks except a straggler.
struct RankGivesUp : FromOwnerRules {
  static constexpr bool kWaitsOtherwise = true;
  static bool waited(const uint32_t* at, uint32_t flag) {
    for (int turn = 0; turn < 64 && __atomic_load_n(at, __ATOMIC_ACQUIRE) != flag; ++turn) simt::may_lag();
    return true;
  }
};

/// Uses one flag for all barriers; the waiting rank resets it to 0. If a peer has raised the flag again by then, that signal is
/// lost.
struct RankFlagWiped : FromOwnerRules {
  static constexpr bool kKeepsFlags = false;
};

/// Adds all ranks one after the other; the contract adds groups of eight ranks separately.
struct RankChunksForgotten : LamportRules<FlushingSum<FromZeroRules>, MinusZeroIsEmpty> {};

/// Writes the result in place, over memory that peers still read.
struct RankInPlace : FromZeroRules {};

using Int8Codec = IntegerCodec<128, true>;

/// The rank that sums a part returns its sum unquantized; by the contract it returns the dequantized codes, as the other ranks do.
struct CodecOwnerKeeps : Int8Codec {
  static constexpr bool kOwnerReadsItsCodes = false;
};

/// Uses the scale of the first group for both groups of a block.
struct CodecOneScale : IntegerCodec<8, true> {
  SIMT_DEVICE static int lane_of(int /*place*/) { return 0; }
};

/// The ranks add unquantized inputs; the contract quantizes the inputs before the exchange.
struct CodecOnePass : IntegerCodec<8, false> {
  static constexpr bool kFirstPass = false;
};

/// Clamps codes to a symmetric range; the contract has one more negative code.
struct CodecSymmetric : IntegerCodec<8, true> {
  static constexpr float kLeast = -7;
};

/// Does not set FP16_OVFL, so sums overflow to Inf; by the contract they saturate.
struct CodecOverflowToInf : IntegerCodec<128, false> {};

/// Does not add the epsilon to the scale before taking its reciprocal, so a scale of 0 gives Inf.
struct CodecEpsForgotten : IntegerCodec<8, false, simt::Bf16> {
  static constexpr float kEps = 0;
};

/// The rank that sums a part returns the dequantized codes; by the contract it returns its sum before quantization.
struct CodecOwnerReads : AiterFp8<true> {
  static constexpr bool kOwnerKeeps = false;
};

/// Saturates codes. The contract's kernel does not set FP16_OVFL, so values beyond the largest code become NaN.
struct CodecSaturates : AiterFp8<false> {
  SIMT_DEVICE static uint8_t code(float scaled) { return simt::to_e4m3fnuz_sat(scaled); }
};
/// Saturates OCP codes; by the contract, values beyond the largest code become NaN.
struct CodecInfSaturates : Fp8Codec<true> {
  template <class>
  SIMT_DEVICE static uint8_t code(float scaled) {
    return simt::to_e4m3fn_sat(scaled);
  }
};

/// Lets fp16 sums overflow to Inf. The contract's kernels set FP16_OVFL, so their sums saturate.
struct RankSumToInf : NativeRules<FromZeroRules> {};

/// Casts bf16 to fp16 without the divisor that keeps sums in fp16's range.
struct RankCastUnscaled : CastToHalf<FromZeroRules, true> {};

/// Computes squares in fp32; the contract computes them in 16 bits.
struct FusedSquaresInF32 : FlashinferMnnvlAddRmsNorm {
  template <class T>
  SIMT_DEVICE static float square(float z) {
    return z * z;
  }
};

/// Uses two scales for 64 elements that should share one.
struct CodecHalfTheGroup : AiterFp8<true, 32> {};

/// Gives the first stripe to rank 1; by the contract it belongs to rank 0.
struct CodecStripeNext : FlashinferFp8 {
  SIMT_DEVICE static int owner_of(int64_t group, int64_t groups, int ranks) {
    return (FlashinferFp8::owner_of(group, groups, ranks) + 1) % ranks;
  }
};

/// Computes the scale from the largest magnitude; the contract keeps the sign of that element.
struct CodecMagnitude : IntegerCodec<128, false> {
  SIMT_DEVICE static float extreme(float low, float high) {
    return simt::max_number(simt::magnitude(low), simt::magnitude(high));
  }
};

// All-reduce fused with a norm and quantization.

/// Divides a row of zeros by its scale 0.
struct ZeroScale : AiterArGroup {
  SIMT_DEVICE static float amax(float widest) { return widest; }
};

/// Keeps a subnormal scale; the contract flushes it to 0, so codes become NaN.
struct ScaleKept : AiterArGroup {
  SIMT_DEVICE static float scale(float amax) { return amax / 448.0f; }
};

/// Adds the ranks in descending order, the last rank first.
struct RankOrderDescending : FlushingSum<AbsoluteRules> {
  SIMT_DEVICE static int rank_of(int i, int /*owner*/, int /*reader*/, int ranks) { return ranks - 1 - i; }
};

/// Rounds the norm to 16 bits before quantization; the contract does not.
struct AiterArNormRounded : AiterArAddNorm {
  static constexpr bool kRoundsOutput = true;
};

/// Rounds the scale down to a power of two, so the largest element of a group is clipped.
struct PackedFloor : TrtllmPacked {
  SIMT_DEVICE static float scale(float amax) {
    return simt::from_bits(simt::bits(simt::max_number(over_constant(amax, 448.0f), 1e-10f)) & 0x7f800000u);
  }
};

// Norms over columns that are sharded over ranks: the correct kernel's rules with one mistake.

/// Leaves out the last rank: the loop over peers ends one rank early.
struct SquaresRankDropped : MiniMaxRules {
  SIMT_DEVICE static float total(const float* of_ranks, int ranks, int self) {
    return MiniMaxRules::total(of_ranks, ranks - 1, self);
  }
};

/// Uses only the rank's own sum of squares.
struct SquaresOwnAlone : MiniMaxRules {
  SIMT_DEVICE static float total(const float* of_ranks, int /*ranks*/, int self) { return of_ranks[self]; }
  SIMT_DEVICE static float factor(float sum, int columns, int /*ranks*/, float eps) {
    return MiniMaxRules::factor(sum, columns, 1, eps);
  }
};

/// Divides the sum over all ranks by the number of columns of one rank.
struct SquaresColumnsOfOne : MiniMaxRules {
  SIMT_DEVICE static float factor(float sum, int columns, int /*ranks*/, float eps) {
    return MiniMaxRules::factor(sum, columns, 1, eps);
  }
};

/// Leaves out the columns after the last whole warp.
struct SquaresTailDropped : MiniMaxRules {
  SIMT_DEVICE static int squared(int columns, int of_a_warp) { return columns / of_a_warp * of_a_warp; }
};

/// Does not fill the buffer of the previous call with the sentinel.
struct SquaresBufferStale : MiniMaxRules {
  static constexpr bool kClears = false;
};

/// Reads weights as if they were bf16, whatever their type.
struct SquaresGammaAsBf16 : MiniMaxRules {
  template <class T>
  SIMT_DEVICE static float weight(T gamma) {
    if constexpr (sizeof(T) == 2)
      return simt::to_float(simt::Bf16{gamma.bits});
    else
      return gamma;
  }
};

/// Multiplies k by the factor 1 / rms of q.
struct SquaresSecondByFirst : MiniMaxQkRules {
  static constexpr int kSumOfSecond = 0;
};

namespace {

/// The row of the kernel table for a faulty kernel; `twin` names the kernel without the fault.
Kernel as_fault(Kernel row, const char* name, const char* cites, std::string twin) {
  row.fault = name;
  row.cites = cites;
  row.twin = std::move(twin);
  return row;
}

Kernel of_ranks(const char* name, const char* contract, void (*run)(const Call&, const Ranks&, int, int), const char* twin,
                const char* cites, AreaRequest (*area)(const Call&) = signals_and_buffer, const Values& x = kAny) {
  Kernel row = all_reduce_row(name, {contract}, run, area);
  row.accepts.front() = {"x", x};
  return as_fault(std::move(row), name, cites, twin);
}

template <class NormRules, RankRun kSum>
Kernel of_fused(const char* name, const char* contract, const char* twin, const char* cites,
                AreaRequest (*area)(const Call&) = signals_and_buffer) {
  return as_fault(fused_row<NormRules, kSum>(name, contract, area), name, cites, twin);
}

struct FinalizeSharedLost : FlashinferMoeFinalize {
  template <class T>
  SIMT_DEVICE static float with_shared(float sum, float factor, float /*shared*/) {
    return FlashinferMoeFinalize::with_shared<T>(sum, factor, 0);
  }
};

template <class CombineRules, RankRun kSum>
Kernel of_finalize(const char* name, const char* cites) {
  return as_fault(combined_row<CombineRules, FlashinferTrtllmAddRmsNorm, kSum>(name, "flashinfer.moe_finalize_all_reduce_add_rms_norm"),
                  name, cites, "all_reduce_add_rms_norm.combine_lamport");
}

}  // namespace

std::vector<Kernel> rank_faults() {
  const char *one = "all_reduce.one_shot", *two = "all_reduce.two_shot", *lamport = "all_reduce.lamport",
             *coded = "all_reduce.coded";
  const Values half{"f16"};
  const char *vllm1 = "vllm.all_reduce_1stage", *vllm2 = "vllm.all_reduce_2stage";
  return {
      of_ranks("rank_dropped", vllm1, run_one_shot<RankDropped>, one,
               "invented fault: this kernel leaves out the last rank"),
      of_ranks("rank_counted_twice", "aiter.all_reduce_1stage", run_one_shot<RankCountedTwice>, one,
               "invented fault: this kernel adds the data of rank 0 twice"),
      of_ranks("rank_order_of_reader", vllm1, run_one_shot<RankOrderOfReader>, one,
               "flashinfer trtllm_allreduce.cuh fb28d724 starts at the reader's index in one-shot push mode; the contract starts at rank 0"),
      of_ranks("rank_order_absolute", vllm2, run_two_shot<RankOrderAbsolute>, two,
               "vllm 50136, vllm 57042, sglang 34159: the ranks are added in another order than the contract's"),
      of_ranks("rank_sums_in_t", vllm1, run_one_shot<RankSumsInT>, one,
               "flashinfer trtllm_allreduce_fusion.cuh fb28d724: without fp32_acc, sums are rounded to 16 bits; the contract adds in fp32"),
      of_ranks("rank_sums_in_f16", vllm1, run_one_shot<RankSumsInF16>, one,
               "sglang 34473, vllm 55345: bf16 values are added in fp16; the contract adds in fp32",
               signals_and_buffer, Values{"bf16"}),
      of_ranks("rank_sums_in_f32", "quickreduce.all_reduce_fp_bf16", run_two_shot<RankSumsInF32>, two,
               "invented fault: this kernel adds in fp32; the contract adds in the type of x, so the bits differ", signals_and_buffer, Values{"bf16"}),
      of_ranks("rank_sum_to_inf", "quickreduce.all_reduce_fp.gfx942", run_two_shot<RankSumToInf>, two,
               "vllm csrc/rocm/quickreduce/base.h v0.33.0 calls set_fp16_ovfl only for gfx942; this kernel does not call it, so sums overflow to "
               "Inf", signals_and_buffer, half),
      of_ranks("rank_cast_unscaled", "sglang.quick_all_reduce_fp_cast", run_two_shot<RankCastUnscaled>, two,
               "sglang 34473: bf16 values beyond 65504 become Inf when they are cast to fp16", signals_and_buffer, Values{"bf16"}),
      of_ranks("rank_truncated", vllm2, run_two_shot<RankTruncated>, two,
               "invented fault: this kernel truncates sums, which upstream tests accept within their tolerances"),
      of_ranks("rank_from_zero", "aiter.all_reduce_1stage", run_one_shot<RankFromZero>, one,
               "sglang 7723177a3b starts its sum with +0; vllm c9eabec7d8 and the contract do not"),
      of_ranks("rank_subnormals_kept", "aiter.all_reduce_1stage", run_one_shot<RankSubnormalsKept>, one,
               "aiter/jit/core.py e4048607: a build without -fgpu-flush-denormals-to-zero keeps subnormals; the contract flushes them"),
      of_ranks("rank_rounded", "aiter.all_reduce_1stage_gfx942", run_one_shot<RankRounded>, one,
               "aiter 5151: on gfx942, results are truncated to bf16; this kernel rounds them to nearest", signals_and_buffer, Values{"bf16"}),
      of_ranks("rank_misses", vllm1, run_one_shot<RankMisses>, one, "vllm 30650: one rank returns its own input instead of the sum over all ranks"),
      of_ranks("rank_barrier_relaxed", vllm2, run_two_shot<RankBarrierRelaxed>, two,
               "aiter 2890, TensorRT-LLM 8612: the barrier has no release semantics, so peers may read old data"),
      of_ranks("rank_barrier_missing", vllm2, run_two_shot<RankBarrierMissing>, two,
               "vllm 2760: the kernel has no barrier between its two stages"),
      of_ranks("rank_end_missing", vllm1, run_registered<RankEndMissing>, "all_reduce.registered",
               "aiter 2890: the final barrier does not wait, so the next call may overwrite data that peers still read"),
      of_ranks("rank_flag_frozen", vllm2, run_two_shot<RankFlagFrozen>, two,
               "vllm 46913: the flag value is fixed when the graph is captured, so later replays do not wait"),
      of_ranks("rank_segment_next", vllm2, run_two_shot<RankSegmentNext>, two,
               "FasterTransformer 672: the gather stage of the two-shot kernel copies a part of the sum from the wrong rank"),
      of_ranks("rank_rest_left", vllm2, run_two_shot<RankRestLeft>, two,
               "nccl 1950, rocm-systems 7711: the kernel does not add the elements at the end of a message"),
      of_ranks("rank_sentinel_by_value", "flashinfer.all_reduce_oneshot", run_lamport<RankSentinelByValue>, lamport,
               "flashinfer 1136: the kernel takes a received +0 for -0, the sentinel of an empty place, so it waits forever", minus_zero_area),
      of_ranks("rank_sentinel_sent", "flashinfer.all_reduce_oneshot", run_lamport<RankSentinelSent>, lamport,
               "flashinfer 3053: a rank sends data that equal the sentinel of an empty place, so its peers wait forever", minus_zero_area),
      of_ranks("rank_sentinel_of_numbers", "sglang.all_reduce_v2_push@v0.5.19", run_lamport<RankSentinelOfNumbers>, lamport,
               "sglang v0.5.18 csrc/distributed/custom_all_reduce.cuh sends each 16-bit +0 as -0; since v0.5.19 only a 32-bit word of two +0 is changed",
               plus_zero_area),
      of_ranks("rank_buffer_stale", "sglang.all_reduce_v2_push", run_lamport<RankBufferStale>, lamport,
               "vllm 25892, sglang 11609: buffers of consecutive calls overlap; this kernel reads data of an earlier call, because it does not clear its "
               "buffer", plus_zero_area),
      of_ranks("rank_room_by_size", "sglang.all_reduce_v2_push", run_lamport<RankRoomBySize>, lamport,
               "vllm 25892, sglang 11609, aiter 1191: the address of a rank's data depends on the message size, so a call of another size clears wrong "
               "addresses", plus_zero_area),
      of_ranks("rank_buffer_by_count", "flashinfer.all_reduce_oneshot", run_lamport<RankBufferByCount>, lamport,
               "invented fault: this kernel chooses one of three buffers by a call counter modulo 3, and chooses a wrong one after the counter "
               "wraps", minus_zero_area),
      of_ranks("rank_waits_while_less", vllm2, run_two_shot<RankWaitsWhileLess>, two,
               "vllm csrc/custom_all_reduce.cuh c9eabec7d8 compares flags with < on ROCm, so after the flags have wrapped, no rank waits"),
      of_ranks("rank_gives_up", vllm2, run_two_shot<RankGivesUp>, two,
               "invented fault: this kernel stops waiting after a fixed number of polls, even if the peer's data have not arrived"),
      of_ranks("rank_flag_wiped", vllm2, run_two_shot<RankFlagWiped>, two,
               "vllm 8410, tvm 16797: a waiting rank resets a flag that a fast peer has already set for the next call"),
      of_ranks("rank_chunks_forgotten", "flashinfer.all_reduce_mnnvl_oneshot_16", run_lamport<RankChunksForgotten>, lamport,
               "flashinfer trtllm_mnnvl_allreduce.cuh fb28d724: two-shot kernels add all ranks in one chain; the contract adds groups of 8 ranks "
               "separately", minus_zero_area),
      of_ranks("rank_in_place", "sglang.all_reduce_v2_pull", run_one_shot<RankInPlace>, two,
               "nccl 1924: the kernel writes its result over data that peers still read"),
      of_ranks("codec_owner_keeps", "quickreduce.all_reduce_int8.gfx942", run_coded<CodecOwnerKeeps>, coded,
               "b12x 44: the rank that sums a part keeps its unquantized sum, but sends the quantized sum to the others", coded_area, half),
      of_ranks("codec_one_scale", "quickreduce.all_reduce_int4.gfx942", run_coded<CodecOneScale>, coded,
               "invented fault: this kernel uses the scale of the first group for both groups of a block", coded_area, half),
      of_ranks("codec_one_pass", "quickreduce.all_reduce_int4.gfx950", run_coded<CodecOnePass>, coded,
               "invented fault: this kernel adds unquantized inputs; the contract quantizes the inputs before the exchange", coded_area, half),
      of_ranks("codec_symmetric", "quickreduce.all_reduce_int4.gfx942", run_coded<CodecSymmetric>, coded,
               "invented fault: this kernel clamps codes to a symmetric range; the contract has one more negative code", coded_area, half),
      of_ranks("codec_overflow_to_inf", "quickreduce.all_reduce_int8.gfx942", run_coded<CodecOverflowToInf>, coded,
               "sglang 40084, 34473: FP16_OVFL is set on one chip but not on its successor; this kernel does not set it, so sums overflow to "
               "Inf", coded_area, half),
      of_ranks("codec_saturates", "aiter.all_reduce_fp8_nosat.gfx942", run_owner_keeps<CodecSaturates>, "all_reduce.owner_keeps",
               "rocm-systems 9556: the kernel saturates, as if v_cvt_pk_fp8_f32 did; this instruction returns NaN", owner_keeps_area<CodecSaturates>, half),
      of_ranks("codec_inf_saturates", "quickreduce.all_reduce_fp8_nosat.gfx950", run_coded<CodecInfSaturates>, coded,
               "rocm-systems 9556: the kernel saturates, as if v_cvt_pk_fp8_f32 did; this instruction returns NaN", coded_area, half),
      of_ranks("codec_eps_forgotten", "quickreduce.all_reduce_int4_bf16", run_coded<CodecEpsForgotten>, coded,
               "invented fault: this kernel does not add eps to the scale, so the reciprocal of a zero scale is Inf", coded_area, Values{"bf16"}),
      of_ranks("codec_owner_reads", "aiter.all_reduce_fp8_nosat.gfx950", run_owner_keeps<CodecOwnerReads>,
               "all_reduce.owner_keeps",
               "b12x 44: the rank that sums a part also returns the dequantized codes; in this contract it keeps its unquantized sum",
               owner_keeps_area<CodecOwnerReads>, half),
      of_ranks("codec_half_the_group", "aiter.all_reduce_fp8_g64_nosat.gfx950", run_owner_keeps<CodecHalfTheGroup>,
               "all_reduce.owner_keeps", "invented fault: this kernel computes two scales for 64 elements, which should share one scale",
               owner_keeps_area<CodecHalfTheGroup>, half),
      of_ranks("codec_stripe_next", "flashinfer.all_reduce_fp8_twoshot", run_owner_keeps<CodecStripeNext>,
               "all_reduce.owner_keeps", "invented fault: this kernel assigns each part of the sum to the rank after its owner, so another rank keeps the "
                                         "unquantized sum",
               owner_keeps_area<CodecStripeNext>, Values{"bf16"}),
      of_ranks("codec_magnitude", "quickreduce.all_reduce_int8.gfx950", run_coded<CodecMagnitude>, coded,
               "invented fault: this kernel computes the scale from amax; the contract uses the extreme value with its sign", coded_area, half),
      of_fused<VllmFusedAddRmsNorm20260618, run_one_shot<RankDropped>>("fused_rank_dropped", "vllm.all_reduce_add_rms_norm",
                                                                       "all_reduce_add_rms_norm.one_shot",
                                                                       "invented fault: this kernel leaves out a rank in the sum before the norm"),
      of_fused<VllmFusedAddRmsNormV0191, run_one_shot<AbsoluteRules>>(
          "fused_rounded_before_weight", "vllm.all_reduce_add_rms_norm", "all_reduce_add_rms_norm.one_shot",
          "vllm PR 46070: earlier releases round before they multiply by the weight; the contract does not"),
      of_fused<FusedSquaresInF32, run_lamport<LamportRules<FlushingSum<FromZeroRules>, MinusZeroIsEmpty>>>(
          "fused_squares_in_f32", "flashinfer.all_reduce_add_rms_norm_mnnvl_oneshot", "all_reduce_add_rms_norm.lamport",
          "flashinfer trtllm_mnnvl_allreduce.cuh fb28d724: the two-shot kernel computes squares in fp32; the contract computes them in 16 "
          "bits", minus_zero_area),
      of_finalize<FinalizeSharedLost, run_lamport<LamportRules<NativeRules<FlushingSums>, MinusZeroIsEmpty>>>(
          "finalize_shared_lost", "invented fault: this kernel does not add the shared expert"),
      of_finalize<FlashinferMoeFinalize, run_lamport<LamportRules<FlushingSums, MinusZeroIsEmpty>>>(
          "finalize_ranks_in_f32", "flashinfer trtllm_allreduce_fusion.cuh fb28d724 with fp32_acc adds ranks in fp32; the contract rounds each sum to 16 bits"),
      of_fused<VllmFusedAddRmsNorm20260618, run_one_shot<RankMisses>>("fused_rank_misses", "vllm.all_reduce_add_rms_norm",
                                                                      "all_reduce_add_rms_norm.one_shot",
                                                                      "vllm 30650: one rank normalizes its own input instead of the sum over all ranks"),
  };
}

// Rows of the kernel table for all-reduces with a norm and quantization.

namespace {

constexpr const char* kOp = "all_reduce_add_rms_norm_quant_group";

/// Runs a norm with the given rules after an all-reduce. Error messages name the fused op's contract.
template <class Rules, void (*kRun)(const Call&)>
struct Then {
  static const char* contract(const std::string&) { return Rules::kContract; }
  static void run(const Call& call) { kRun(call); }
};

template <class Rules, void (*kRun)(const Call&), RankRun kSum>
Kernel row_of(const char* name, const char* contract, const char* protocol, const Values& groups, const Values& layouts,
              const char* cites) {
  Kernel row = all_reduce_row(name, {contract}, run_fused_quantized<Then<Rules, kRun>, kSum>, barrier_area_with_sums);
  row.op = kOp;
  row.accepts = {{"x", kHalf}, {"group_size", groups}, {"layout", layouts}, {"warp", simt::kWarpSizes}};
  return as_fault(std::move(row), name, cites, std::string(kOp) + "." + protocol);
}

template <class Rules, RankRun kSum>
Kernel of_tokens(const char* name, const char* contract, const char* protocol, const char* cites) {
  return row_of<Rules, run_rms_norm_quant_token<Rules>, kSum>(name, contract, protocol, {"row"}, {"row"}, cites);
}

template <class Rules, RankRun kSum>
Kernel of_groups(const char* name, const char* contract, const char* protocol, const Values& layouts, const char* cites) {
  return row_of<Rules, run_rms_norm_quant_group<Rules>, kSum>(name, contract, protocol, {32, 64, 128}, layouts, cites);
}

/// Quantizes the fp32 norm to NVFP4; the contract first rounds it to 16 bits.
struct NormKeptBeforeNvfp4 : FlashinferTrtllmAddRmsNorm {
  static constexpr bool kRoundsOutput = false;
};
using NvfpNormKept = AnotherNorm<FlashinferTrtllmNormNvfp4, NormKeptBeforeNvfp4>;

}  // namespace

std::vector<Kernel> rank_quant_faults() {
  const char* const nvfp4 = "flashinfer.all_reduce_add_rms_norm_nvfp4_twoshot";
  const char *packed = "flashinfer.all_reduce_add_rms_norm_group_packed_twoshot",
             *token = "aiter.all_reduce_add_rms_norm_token_fp8_ftz";
  return {of_tokens<GroupAfterNorm<AiterArToken, ZeroScale>, run_one_shot<FlushingSums>>(
              "fused_zero_scale", token, "one_shot",
              "this kernel divides a row of zeros by its scale 0; aiter e4048607 avoids this, except in its fp8 all-reduce"),
          of_tokens<GroupAfterNorm<AiterArToken, ScaleKept>, run_one_shot<FlushingSums>>(
              "fused_scale_not_flushed", token, "one_shot",
              "aiter/jit/core.py e4048607: a build without -fgpu-flush-denormals-to-zero keeps subnormals; the contract flushes them"),
          of_tokens<AnotherNorm<AiterArToken, AiterArNormRounded>, run_one_shot<FlushingSums>>(
              "fused_rounded_before_codes", token, "one_shot",
              "vllm 41825: of two fused norms, only one rounds before its quantization; this kernel implements the other one, but rounds, too"),
          of_tokens<AiterArToken, run_one_shot<RankOrderDescending>>("fused_order_descending", token, "one_shot",
                                                                     "vllm 50136, vllm 57042, sglang 34159: the ranks are added in another order than the "
                                                                     "contract's"),
          of_groups<AnotherNorm<FlashinferTrtllmNormPacked, MissingTail<FlashinferTrtllmAddRmsNorm>>, run_two_shot<FlushingSums>>(
              "fused_rms_over_part", packed, "two_shot", {"ue8m0x4_tma"}, "flashinfer 3879: the RMS is computed from 2560 of 2880 elements of a row"),
          of_groups<GroupAfterNorm<FlashinferTrtllmNormPacked, PackedFloor>, run_two_shot<FlushingSums>>(
              "fused_floor_for_ceil", packed, "two_shot", {"ue8m0x4_tma"},
              "invented fault: this kernel rounds the scale down to a power of two; the contract rounds it up"),
          row_of<NvfpNormKept, run_rms_norm_quant_fp4<NvfpNormKept>, run_two_shot<FlushingSums>>(
              "fused_nvfp4_not_rounded", nvfp4, "two_shot", {"16+tensor"}, {"ue4m3_row", "ue4m3_128x4"},
              "vllm 41825: of two fused norms, only one rounds before its quantization; this kernel leaves out this rounding")};
}

namespace {

template <class Rules>
Kernel of_squares(const char* name, const char* cites, const Values& x = kAny) {
  Kernel row = Rules::kSecond ? squares_row<Rules>(name, "vllm.minimax_all_reduce_qk_rms_norm")
                              : squares_row<Rules>(name, "vllm.minimax_all_reduce_rms_norm");
  row.accepts.front() = {"x", x};
  return as_fault(std::move(row), name, cites, Rules::kSecond ? "all_reduce_rms_norm.qk_lamport" : "all_reduce_rms_norm.lamport");
}

}  // namespace

std::vector<Kernel> square_faults() {
  return {
      of_squares<SquaresRankDropped>("squares_rank_dropped", "invented fault: this kernel leaves out the last rank"),
      of_squares<SquaresOwnAlone>("squares_own_alone", "vllm 30650: the reduction of one rank is skipped; in this kernel, each rank uses only its own sum of "
                                                       "squares"),
      of_squares<SquaresColumnsOfOne>("squares_columns_of_one",
                                      "invented fault: this kernel divides the sum of squares by one rank's number of columns instead of the row's"),
      of_squares<SquaresTailDropped>("squares_tail_dropped",
                                     "flashinfer 3879: the last, incomplete warp is dropped, so the RMS is computed from 8/9 of the row"),
      of_squares<SquaresBufferStale>("squares_buffer_stale", "vllm 25892, sglang 11609: buffers of consecutive calls overlap; this kernel reads data of an "
                                                             "earlier call, because it does not clear its buffer"),
      of_squares<SquaresGammaAsBf16>("squares_gamma_as_bf16", "TensorRT-LLM 12163 (review), vllm 48324: the weight gamma is read as bf16, even if it is fp16",
                                     Values{"f16"}),
      of_squares<SquaresSecondByFirst>("squares_second_by_first",
                                       "invented fault: this kernel normalizes the second matrix (K) with the factor of the first (Q)"),
  };
}

}  // namespace assay_kernels
