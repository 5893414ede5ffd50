// Faulty quantization kernels: by groups, by given scales, by tiles, MXFP8, int8. Each derives from correct rules and replaces a few lines.
#pragma once

#include "kernels/ops/call.h"
#include "kernels/ops/layouts/pack_scales_kernel.h"
#include "kernels/ops/quant_group/quant_group_contracts.h"
#include "kernels/ops/quant_group/quant_group_kernel.h"
#include "kernels/ops/quant_mx/quant_mx_contracts.h"
#include "kernels/ops/quant_mx/quant_mx_kernel.h"
#include "kernels/ops/quant_static/quant_azp_kernel.h"
#include "kernels/ops/quant_static/quant_static_kernel.h"
#include "kernels/ops/quant_static/quant_tile_kernel.h"

namespace assay_kernels {

// Group quantization: the contract's rules with one line of the regression.
//
// A mistake that fits several contracts is a template over the contract's rules: varied_faults_library.cpp
// combines it with other contracts and other mistakes.

/// The packer takes scales for powers of two that are none: mantissa bits run into the byte before.
struct UnmaskedPackedMantissas : VllmGroupFp8Packed {
  static float scale(float amax) { return simt::max_number(amax / 448.0f, 1e-10f); }
  static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
};

/// The producer writes fp32 scales where words of four exponents are read.
struct Fp32ScaleBitsForPacked : VllmGroupFp8Packed {
  static float scale(float amax) { return simt::max_number(amax / 448.0f, 1e-10f); }
  static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
  static uint32_t pack(const float* s) { return simt::bits(s[0]); }
};

struct Range240For224 : VllmGroupFp8Fnuz {
  static float scale(float amax) { return amax / 240.0f; }
  static float clamp(float v) { return clamp_max_min(v, 240.0f); }
};

struct FloorForCeil : VllmGroupFp8Packed {
  static float scale(float amax) { return simt::from_bits(simt::bits(simt::max_number(amax / 448.0f, 1e-10f)) & 0x7f800000u); }
};

/// A quotient where torch on a GPU has a product with 1/448: what this project's own row said until kernels ran.
struct NativeQuotient : VllmGroupNativeGpu {
  static float scale(float amax) { return simt::max_or_nan(amax / 448.0f, kLeastScale); }
};

/// Bounds known at run time: the clamp drops a NaN for its lower one.
struct TritonNanBelow : VllmGroupTritonV0190 {
  static float clamp(float v) { return clamp_max_min(v, 448.0f); }
};

/// One XOR offset too many: half a warp is a group of 128 on 32 lanes, and two groups on 64.
template <class Base = VllmGroupFp8>
struct GroupsMergedAt64 : Base {
  template <int kWarp, int kLanes>
  static constexpr int kReach = kWarp / 2;
};

/// The cast cuts the mantissa off.
struct TruncatingE4m3fn {
  static constexpr int kType = ASSAY_FLOAT8_E4M3FN;
  static uint8_t encode(float v) {
    const float m = simt::magnitude(v);
    const uint32_t code = m < 0x1p-6f ? uint32_t(m * 512.0f) : (simt::bits(m) >> 20) - 960u;
    return uint8_t((simt::bits(v) >> 24 & 0x80u) | (m != m ? 0x7fu : code < 0x7eu ? code : 0x7eu));
  }
  static uint32_t encode4(const float* v) { return encode4_one_by_one<TruncatingE4m3fn>(v); }
};
template <class Base = VllmGroupFp8>
struct TruncationForNearest : Base {
  using Code = TruncatingE4m3fn;
};

/// Row-major bytes in a tensor whose strides say column-major.
template <class Base = AiterPer1x128>
struct TransposedScales : Base {
  static int64_t place(const ScalesOut& out, int64_t r, int64_t g) { return r * out.groups + g; }
};

template <class Base = VllmGroupFp8Packed>
struct StalePadding : Base {
  static constexpr bool kWritesPadding = false;
};

/// amax 0 gives the multiplier 448 / 0 and codes 0 * Inf.
template <class Base = SglangGroup8bit>
struct ZeroRowNan : Base {
  static float amax(float widest) { return widest; }
};

/// A maximum that drops NaN where torch's keeps it.
template <class Base = DeepgemmPerTokenCast>
struct NanLaundering : Base {
  static float widest(float a, float b) { return simt::max_number(a, b); }
};

/// Offset of the row in too narrow a type. The regressions wrap at 2^31 or 2^32 elements; this one at 2^16, which a test can
/// afford.
struct Offset32bit : VllmPerToken {
  using Offset = uint16_t;
};

/// OCP codes in a tensor that is read as fnuz: half the value, and NaN for -0.
struct OcpAsFnuz : E4m3fnSat {
  static constexpr int kType = ASSAY_FLOAT8_E4M3FNUZ;
};
template <class Base = VllmGroupFp8Fnuz>
struct OcpForFnuz : Base {
  using Code = OcpAsFnuz;
};

/// 1 / s without a floor under s: Inf for a zero group, and 0 * Inf after it.
template <class Base = AiterPer1x128>
struct UnguardedReciprocal : Base {
  static float amax(float widest) { return widest; }
};

/// Elements are read before the threads that stage them have written them.
template <class Base = VllmGroupFp8>
struct MissingBarrierInStaging : Base {
  static void staged() {}
};

/// transpose_scale=True by a view: the bytes stay row-major.
struct TransposeScaleNoOp : AiterPer1x128TransposeScale {
  static int64_t place(const ScalesOut& out, int64_t r, int64_t g) { return AiterPer1x128::place(out, r, g); }
};

// Per-tensor, per-token and static quantization.

/// The scale is raised from whatever was in its memory.
struct ScaleNotCleared : VllmPerTensor {
  static void clear(float* /*scale*/) {}
};

/// The scale is taken for its own inverse.
template <class Base = VllmStatic>
struct ScaleForInverse : Base {
  static float operand(float /*amax*/, float scale) { return scale; }
};

/// A parameter that is taken and never read.
struct ScaleUbIgnored : VllmPerTokenUb {
  static float scale_within(float amax, float /*scale_ub*/) { return scale(amax); }
};

/// The bound of amax as a bound of the scale.
struct ScaleUbOnScale : VllmPerTokenUb {
  static float scale_within(float amax, float scale_ub) {
    return simt::max_number(simt::min_number(amax / 448.0f, scale_ub), kLeastScale);
  }
};

/// No guard under the scale of a tensor of zeros: 0 * (1 / 0).
struct ScaleFloorMissing : VllmPerTensorNative {
  static float scale(float amax) { return amax / 448.0f; }
};

// Blocks of many rows, scales of groups that are given, and packed scales.

/// The scale of block (r, g) where a column-major tensor has it.
struct BlockScalesTransposed : DeepgemmPerBlockCast {
  static int64_t place(const ScalesOut& out, int64_t r, int64_t g) { return g * out.rows + r; }
};

/// A block reduced as if it were 1 x 128.
struct BlockRowsForgotten : DeepgemmPerBlockCast {
  static bool counts(int32_t row) { return row % kBlockSide == 0; }
};

/// Loads end with the matrix and not with the row: a block that the edge cuts off is filled up with the next row.
struct BlockReadsPastEdge : DeepgemmPerBlockCast {
  template <class T>
  static simt::Vector<uint32_t> load(const T* x, int32_t row, int32_t first, BlockShape shape, bool whole) {
    return load_of_row(x + int64_t{row} * shape.columns, first, int64_t{shape.rows - row} * shape.columns, whole);
  }
};

/// Row-major places in a tensor whose strides say something else.
struct StaticScalesTransposed : VllmStaticGroup {
  static int64_t row_stride(const assay_tensor& scale) { return scale.shape[1]; }
  static int64_t group_stride(const assay_tensor& /*scale*/) { return 1; }
};

/// Scales that are no powers of two reach a packer that takes them for such: mantissa bits run into the byte before.
struct PackMantissaLeak : DeepgemmPackTorch {
  static uint32_t word(const uint32_t* v) { return DeepgemmPack25::word(v); }
};

/// Groups that a row's last word lacks are not masked: 0xff, a NaN, where 0 is inert.
struct PackAbsentGroups : DeepgemmPack25 {
  static uint32_t absent() { return 0xffffffffu; }
};

/// Rows are taken up to the aligned number, whatever lies there.
struct PackPaddingRows : DeepgemmPack25 {
  static constexpr bool kPadsRows = true;
};

/// Rows between groups are packed like others: whatever lies there.
struct PackGapRows : DeepgemmPackPsum26 {
  static constexpr bool kGaps = false;
};

/// Words of a row beside each other.
struct PackRowMajorWords : DeepgemmPackTorch {
  static int64_t place(int64_t row, int64_t column, int64_t /*padded_rows*/, int64_t words) { return row * words + column; }
};

// MXFP8 quantization: a contract's rules, or the places of its scales, with one line changed.

/// 1 / 0 for a scale that counts as 0: a tiny block saturates and its zeros become NaN.
struct MxUnguardedReciprocal : FlashinferMxfp8 {
  static float multiplier(float /*amax*/, uint32_t e) {
    return e == 0u ? simt::from_bits(0x7f800000u) : e == 254u ? 0.0f : e8m0_reciprocal(e);
  }
};

/// Two builds of one op that treat a subnormal quotient differently.
struct MxScaleNotFlushed : FlashinferMxfp8 {
  static uint32_t exponent(float amax) { return e8m0_ceil(amax * (1.0f / 448.0f)); }
};

/// Inf has the byte of NaN.
struct MxScaleNotSaturated : FlashinferMxfp8 {
  static uint32_t exponent(float amax) { return simt::bits(amax) == 0x7f800000u ? 255u : FlashinferMxfp8::exponent(amax); }
  static float multiplier(float amax, uint32_t e) { return e == 255u ? e8m0_value(e) : FlashinferMxfp8::multiplier(amax, e); }
};

/// The exponent of amax, not of amax / 2^8.
struct MxNoEmax : TorchaoMxFloor {
  static uint32_t exponent(float amax) {
    const uint32_t e = simt::bits(amax) >> 23;
    return e < 255u ? e : 255u;
  }
};

/// The constant that rounds to the significand of FP4.
struct MxConstantOfFp4 : TorchaoMxEven {
  static uint32_t exponent(float amax) {
    const uint32_t b = simt::bits(amax);
    return b > 0x7f800000u ? 255u : less_emax((b + 0x200000u) >> 23, 255u);
  }
};

/// A maximum that drops NaN where torch's keeps it.
struct MxNanLaundering : TorchaoMxRceil {
  static float widest(float a, float b) { return simt::max_number(a, b); }
};

/// Elements times the scale: the reciprocal was skipped for the path that stores bytes.
struct MxReciprocalSkipped : AiterPer1x32 {
  static float multiplier(float /*amax*/, uint32_t e) { return e == 255u ? simt::from_bits(0x7f800000u) : e8m0_value(e); }
};

/// Bytes of absent blocks and rows are whatever the allocation held.
struct MxStalePadding : FlashinferMxfp8Cute {
  static constexpr bool kWritesPadding = false;
};

struct TransposedBytes : BytesOut {
  int64_t place(int64_t r, int32_t g) const { return g * rows + r; }
};
/// Plain bytes at the beginning of a buffer of tiles, zeros behind them.
struct RowMajorBytes : BytesOut {
  int64_t place(int64_t r, int32_t g) const { return r * groups + g; }
  template <class Rules>
  void write_absent() const {
    const int64_t first = simt::block() * simt::block_size() + simt::thread(), threads = simt::grid_size() * simt::block_size();
    for (int64_t i = rows * groups + first; i < padded_rows * padded_groups; i += threads) data[i] = 0;
  }
};
/// One matrix of all rows, where each expert's rows begin in a tile of their own.
struct OneMatrixOfExperts : ExpertBytesOut {
  int64_t place(int64_t r, int32_t g) const { return place_in_tiles(ScaleTile::k128x4, padded_groups, r, g); }
};

/// Zeros in all of these tiles where no block is.
template <class Places>
void clear_absent(const Places& p, int64_t padded_rows) {
  const int64_t first = simt::block() * simt::block_size() + simt::thread(), threads = simt::grid_size() * simt::block_size();
  for (int64_t i = first; i < padded_rows * p.padded_groups; i += threads)
    if (const int64_t row = i / p.padded_groups, g = i % p.padded_groups; row >= p.rows || g >= p.groups)
      p.data[p.place(row, int32_t(g))] = 0;
}
/// All batches as one matrix.
struct OneMatrixOfBatches : OneMatrixOfExperts {
  template <class Rules>
  void write_absent() const {
    clear_absent(*this, first_scale[experts]);
  }
};
/// The rows beyond a batch's last are left as they were.
struct MxStaleBatches : TorchaoMxFloor {
  static constexpr bool kWritesAbsentRows = false;
};
/// The shuffle of the other AMD chips: 32 rows and 8 blocks a tile.
struct BytesOfOtherChip : BytesOut {
  int64_t place(int64_t r, int32_t g) const { return place_in_tiles(ScaleTile::k32x8, padded_groups, r, g); }
  template <class Rules>
  void write_absent() const {
    clear_absent(*this, padded_rows);
  }
};

/// A contract's kernel whose scales go to other places.
template <class Rules, class Places>
void run_mx_misplaced(const Call& call) {
  const Shape shape = mx_shape(call, Rules::Code::kType);
  launch_mx<Rules>(call, shape, Places{bytes_out(call, shape)});
}
template <class Rules, class Places>
void run_experts_misplaced(const Call& call) {
  const Shape shape = mx_shape(call, Rules::Code::kType);
  launch_mx<Rules>(call, shape, Places{expert_bytes_out(call, shape)});
}

// Quantization to int8, with and without a zero point.

/// Rounded where the op cuts off: about half of all codes are one more.
struct Int8NearestForTruncation : VllmGroupInt8 {
  using Code = Int8Nearest;
};

/// Cut off where the op rounds.
struct Int8TruncationForNearest : VllmPerTokenInt8 {
  using Code = Int8Truncated;
};

/// C's round() for ties to even.
struct Int8TiesAwayForEven : VllmPerTokenInt8 {
  using Code = Int8TiesAway;
};

/// Limits of the same magnitude on both sides.
struct Int8LimitedEvenly : VllmStaticInt8 {
  static float clamp(float v) { return clamp_keep(v, 127.0f); }
};

/// The reciprocal of the stored scale, which is rounded once more than 127 / amax.
struct Int8InverseOfScale : VllmPerTokenInt8 {
  static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
};

/// A group of zeros has the scale 0, and 0 / 0 meets the lower bound.
struct Int8ZeroGroup : VllmGroupInt8 {
  static float amax(float widest) { return widest; }
};

/// The low byte of an int32.
struct Int8LowByte : Int8Nearest {
  static uint8_t encode(float v) { return uint8_t(simt::to_int32_sat(v)); }
  static uint32_t encode4(const float* v) { return encode4_one_by_one<Int8LowByte>(v); }
};
struct Int8CodeWraps : VllmStaticInt8 {
  using Code = Int8LowByte;
};

/// A sum of int32 beyond its range, as hardware has it.
struct AzpSumWraps : VllmStaticInt8Azp {
  static int32_t integer(float x, float m, int32_t azp) { return int32_t(uint32_t(simt::to_int32_sat(x * m)) + uint32_t(azp)); }
};

/// One rounding of the sum: other ties, for an odd zero point.
struct AzpAddedBeforeRounding : VllmPerTokenInt8Azp {
  static int32_t integer(float x, float m, int32_t azp) { return simt::to_int32_sat(x * m + float(azp)); }
};

struct AzpForgotten : VllmPerTokenInt8Azp {
  static int32_t integer(float x, float m, int32_t /*azp*/) { return simt::to_int32_sat(x * m); }
};

/// int() of the zero point.
struct AzpCutOff : VllmPerTokenInt8Azp {
  static int32_t zero(float lo, float scale) {
    const float v = -128.0f - lo / scale;
    return simt::magnitude(v) < 0x1p31f ? int32_t(v) : simt::to_int32_sat(v);
  }
};

/// One step less than the codes have.
struct Azp254Steps : VllmPerTokenInt8Azp {
  static float scale(float lo, float hi) { return (hi + 0.0f - lo) / 254.0f; }
};

/// A maximum that starts from 0: rows of negative numbers.
struct AzpMaximumFromZero : VllmPerTokenInt8Azp {
  static constexpr float kGreatestAtFirst = 0.0f;
};

// Entries of describe() for groups and tokens with scales of their own.

template <class Rules>
Accepts group_accepts(const Values& x, const Values& groups, const Values& layouts) {
  return {
      {"x", x}, {"group_size", groups}, {"layout", Rules::kPacked ? Values{"ue8m0x4_tma"} : layouts}, {"warp", simt::kWarpSizes}};
}

template <class Rules>
Kernel in_registers(const char* name, const char* cites, const Values& groups = {32, 64, 128},
                    const Values& layouts = {"row", "col", "tma"}) {
  return {name, "quant_group", {Rules::kContract},    group_accepts<Rules>(kHalf, groups, layouts), {}, run_register<Rules>,
          name, cites,         "quant_group.register"};
}

template <class Rules>
Kernel in_shared_memory(const char* name, const char* cites) {
  return {name,
          "quant_group",
          {Rules::kContract},
          group_accepts<Rules>(kAny, {32, 64, 128}, {"row", "col", "tma"}),
          {},
          run_shared<Rules>,
          name,
          cites,
          "quant_group.shared"};
}

template <class Rules>
Kernel of_tokens(const char* name, const char* cites) {
  return {name,
          "quant_group",
          {Rules::kContract},
          {{"x", kAny}, {"layout", {"row"}}, {"warp", simt::kWarpSizes}},
          {{"n", 8}},
          run_token<Rules>,
          name,
          cites,
          "quant_token"};
}

// Entries of describe() for one scale of a tensor, and scales that are given.

template <class Rules>
Kernel of_tensors(const char* name, const char* cites) {
  return {name, "quant_tile", {Rules::kContract}, one_scale_accepts(), {}, run_tensor<Rules>, name, cites, "quant_tensor"};
}

template <class Rules>
Kernel of_given_scales(const char* name, const char* cites) {
  return {name, "quant_static", {Rules::kContract}, one_scale_accepts(), {}, run_static<Rules>, name, cites, "quant_static"};
}

template <class Rules>
Kernel of_given_groups(const char* name, const char* cites, const Values& layouts) {
  return {name,
          "quant_static",
          {Rules::kContract},
          {{"x", kAny}, {"layout", layouts}, {"warp", simt::kWarpSizes}},
          {},
          run_static_groups<Rules>,
          name,
          cites,
          "quant_static.groups"};
}

// Entries of describe() for blocks of many rows, and packed scales.

template <class Rules>
Kernel of_blocks(const char* name, const char* cites) {
  return {name, "quant_tile", {Rules::kContract}, block_accepts(), {}, run_block<Rules>, name, cites, "quant_block"};
}

template <class Rules>
Kernel of_packs(const char* name, const char* cites) {
  return {name, "pack_scales", {Rules::kContract}, pack_accepts(), {}, run_pack<Rules>, name, cites, "pack_scales"};
}

// Entries of describe() for MXFP8, of a matrix and of experts.

template <class Rules>
Kernel of_mx(const char* name, const char* cites, void (*run)(const Call&) = run_mx<Rules>, const Values& layouts = kMxLayouts,
             int64_t columns = 32) {
  return {name,
          "quant_group",
          {Rules::kContract},
          {{"x", kHalf}, {"group_size", {32}}, {"layout", layouts}, {"warp", simt::kWarpSizes}},
          {{"n", columns}},
          run,
          name,
          cites,
          "quant_mx"};
}

template <class Rules>
Kernel of_experts(const char* name, const char* cites, void (*run)(const Call&) = run_mx_experts<Rules>) {
  return {name,
          "quant_experts",
          {Rules::kContract},
          {{"x", kHalf}, {"group_size", {32}}, {"layout", kMxLayouts}, {"warp", simt::kWarpSizes}},
          {},
          run,
          name,
          cites,
          "quant_mx_experts"};
}

// Entries of describe() for int8 with a zero point.

template <class Rules>
Kernel of_given_zero_points(const char* name, const char* cites) {
  return {name, "quant_static", {Rules::kContract}, one_scale_accepts(), {}, run_static_azp<Rules>, name, cites, "quant_static"};
}

template <class Rules>
Kernel of_zero_points(const char* name, const char* cites) {
  return {name,
          "quant_azp",
          {Rules::kContract},
          {{"x", kAny}, {"layout", {"row"}}, {"warp", simt::kWarpSizes}},
          {{"n", 8}},
          run_token_azp<Rules>,
          name,
          cites,
          "quant_token_azp"};
}

}  // namespace assay_kernels
