// Faulty quantization kernels: by groups, static, by tiles, MXFP8, int8. Each derives from correct rules and changes a few lines.
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

// Group quantization: the contract's rules with the one line that the regression changed. A mistake that several contracts can
// have is a template over the contract's rules. varied_faults_library.cpp combines it with other contracts and mistakes.

/// Packs scales that are not powers of two without masking, so mantissa bits reach the next lower byte.
struct UnmaskedPackedMantissas : VllmGroupFp8Packed {
  static float scale(float amax) { return simt::max_number(amax / 448.0f, 1e-10f); }
  static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
};

/// Writes the bits of one fp32 scale into an int32 that should hold four packed exponents.
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

/// Divides by 448; torch on a GPU multiplies by 1/448. Assay's own contract had this mistake until torch's kernels were run.
struct NativeQuotient : VllmGroupNativeGpu {
  static float scale(float amax) { return simt::max_or_nan(amax / 448.0f, kLeastScale); }
};

/// Clamps with run-time limits, for which Triton's clamp turns NaN into the lower limit.
struct TritonNanBelow : VllmGroupTritonV0190 {
  static float clamp(float v) { return clamp_max_min(v, 448.0f); }
};

/// Always reduces amax over kWarp / 2 lanes. A group has 16: with 32 lanes per warp this is right; with 64 it joins two groups.
template <class Base = VllmGroupFp8>
struct GroupsMergedAt64 : Base {
  template <int kWarp, int kLanes>
  static constexpr int kReach = kWarp / 2;
};

/// A cast that truncates the mantissa.
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

/// Writes row-major scales into a tensor whose strides are column-major.
template <class Base = AiterPer1x128>
struct TransposedScales : Base {
  static int64_t place(const ScalesOut& out, int64_t r, int64_t g) { return r * out.groups + g; }
};

template <class Base = VllmGroupFp8Packed>
struct StalePadding : Base {
  static constexpr bool kWritesPadding = false;
};

/// Has no lower limit for amax: with amax 0 the multiplier is 448 / 0, and codes are 0 * Inf = NaN.
template <class Base = SglangGroup8bit>
struct ZeroRowNan : Base {
  static float amax(float widest) { return widest; }
};

/// Ignores NaN in the maximum; torch's maximum keeps it.
template <class Base = DeepgemmPerTokenCast>
struct NanLaundering : Base {
  static float widest(float a, float b) { return simt::max_number(a, b); }
};

/// Computes a row offset in too narrow a type. The real regressions wrap at 2^31 or 2^32 elements; this offset wraps at 2^16,
/// which a test can reach.
struct Offset32bit : VllmPerToken {
  using Offset = uint16_t;
};

/// Keeps the scale in fp32; torch computes it in the type of x.
using TokenScaleUnrounded = TorchaoFloat8PerRow<float>;

/// Stores OCP codes in a tensor that is read as fnuz: values are halved, and -0 is read as NaN.
struct OcpAsFnuz : E4m3fnSat {
  static constexpr int kType = ASSAY_FLOAT8_E4M3FNUZ;
};
template <class Base = VllmGroupFp8Fnuz>
struct OcpForFnuz : Base {
  using Code = OcpAsFnuz;
};

/// Computes 1 / s without a lower limit for s: a group of zeros gets 1 / s = Inf and codes 0 * Inf = NaN.
template <class Base = AiterPer1x128>
struct UnguardedReciprocal : Base {
  static float amax(float widest) { return widest; }
};

/// Race: reads elements of shared memory before other threads have written them.
template <class Base = VllmGroupFp8>
struct MissingBarrierInStaging : Base {
  static void staged() {}
};

/// Implements transpose_scale=True as a view: bytes are stored row-major.
struct TransposeScaleNoOp : AiterPer1x128TransposeScale {
  static int64_t place(const ScalesOut& out, int64_t r, int64_t g) { return AiterPer1x128::place(out, r, g); }
};

// Per-tensor, per-token and static quantization.

/// Does not clear the scale first, so the maximum includes the uninitialized value in memory.
struct ScaleNotCleared : VllmPerTensor {
  static void clear(float* /*scale*/) {}
};

/// Multiplies by the scale; the contract multiplies by its reciprocal.
template <class Base = VllmStatic>
struct ScaleForInverse : Base {
  static float operand(float /*amax*/, float scale) { return scale; }
};

/// Ignores the parameter scale_ub.
struct ScaleUbIgnored : VllmPerTokenUb {
  static float scale_within(float amax, float /*scale_ub*/) { return scale(amax); }
};

/// Applies scale_ub to the scale; the contract applies it to amax.
struct ScaleUbOnScale : VllmPerTokenUb {
  static float scale_within(float amax, float scale_ub) {
    return simt::max_number(simt::min_number(amax / 448.0f, scale_ub), kLeastScale);
  }
};

/// Has no lower limit for the scale: for a tensor of zeros, codes are 0 * (1 / 0) = NaN.
struct ScaleFloorMissing : VllmPerTensorNative {
  static float scale(float amax) { return amax / 448.0f; }
};

// Block quantization, quantization by group scales that are inputs, and packing of scales.

/// Writes the scales column-major; the tensor is row-major.
struct BlockScalesTransposed : DeepgemmPerBlockCast {
  static int64_t place(const ScalesOut& out, int64_t r, int64_t g) { return g * out.rows + r; }
};

/// Takes the maximum over the first row of a block only, as if blocks were 1 x 128.
struct BlockRowsForgotten : DeepgemmPerBlockCast {
  static bool counts(int32_t row) { return row % kBlockSide == 0; }
};

/// Checks only for the end of the matrix, not of a row: a block at the right edge also reads the start of the next row.
struct BlockReadsPastEdge : DeepgemmPerBlockCast {
  template <class T>
  static simt::Vector<uint32_t> load(const T* x, int32_t row, int32_t first, BlockShape shape, bool whole) {
    return load_of_row(x + int64_t{row} * shape.columns, first, int64_t{shape.rows - row} * shape.columns, whole);
  }
};

/// Reads the scales as row-major, whatever their strides.
struct StaticScalesTransposed : VllmStaticGroup {
  static int64_t row_stride(const assay_tensor& scale) { return scale.shape[1]; }
  static int64_t group_stride(const assay_tensor& /*scale*/) { return 1; }
};

/// Packs scales that are not powers of two without masking, so mantissa bits reach the next lower byte.
struct PackMantissaLeak : DeepgemmPackTorch {
  static uint32_t word(const uint32_t* v) { return DeepgemmPack25::word(v); }
};

/// Does not mask the groups that a row's last int32 lacks: their bytes become 0xff, which is NaN, instead of 0.
struct PackAbsentGroups : DeepgemmPack25 {
  static uint32_t absent() { return 0xffffffffu; }
};

/// Packs the padding rows up to the aligned row count, whatever they contain.
struct PackPaddingRows : DeepgemmPack25 {
  static constexpr bool kPadsRows = true;
};

/// Packs the unused rows between expert groups, whatever they contain.
struct PackGapRows : DeepgemmPackPsum26 {
  static constexpr bool kGaps = false;
};

/// Stores the int32 words row by row; they should be column-major.
struct PackRowMajorWords : DeepgemmPackTorch {
  static int64_t place(int64_t row, int64_t column, int64_t /*padded_rows*/, int64_t words) { return row * words + column; }
};

// MXFP8 quantization: the contract's rules, or the layout of its scales, with one line changed.

/// Computes 1 / 0 for a scale whose exponent byte is 0: elements of a tiny block saturate, and its zeros become NaN.
struct MxUnguardedReciprocal : FlashinferMxfp8 {
  static float multiplier(float /*amax*/, uint32_t e) {
    return e == 0u ? simt::from_bits(0x7f800000u) : e == 254u ? 0.0f : e8m0_reciprocal(e);
  }
};

/// Keeps a subnormal quotient amax / 448; the contract's build flushes it to zero.
struct MxScaleNotFlushed : FlashinferMxfp8 {
  static uint32_t exponent(float amax) { return e8m0_ceil(amax * (1.0f / 448.0f)); }
};

/// Stores the byte of NaN if amax is Inf.
struct MxScaleNotSaturated : FlashinferMxfp8 {
  static uint32_t exponent(float amax) { return simt::bits(amax) == 0x7f800000u ? 255u : FlashinferMxfp8::exponent(amax); }
  static float multiplier(float amax, uint32_t e) { return e == 255u ? e8m0_value(e) : FlashinferMxfp8::multiplier(amax, e); }
};

/// Computes the exponent from amax; the contract computes it from amax / 2^8.
struct MxNoEmax : TorchaoMxFloor {
  static uint32_t exponent(float amax) {
    const uint32_t e = simt::bits(amax) >> 23;
    return e < 255u ? e : 255u;
  }
};

/// Rounds amax with the constant for FP4's mantissa; the codes are FP8.
struct MxConstantOfFp4 : TorchaoMxEven {
  static uint32_t exponent(float amax) {
    const uint32_t b = simt::bits(amax);
    return b > 0x7f800000u ? 255u : less_emax((b + 0x200000u) >> 23, 255u);
  }
};

/// Ignores NaN in the maximum; torch's maximum keeps it.
struct MxNanLaundering : TorchaoMxRceil {
  static float widest(float a, float b) { return simt::max_number(a, b); }
};

/// Multiplies by the scale, because the path that stores bytes skips the reciprocal.
struct MxReciprocalSkipped : AiterPer1x32 {
  static float multiplier(float /*amax*/, uint32_t e) { return e == 255u ? simt::from_bits(0x7f800000u) : e8m0_value(e); }
};

/// Does not write the scale bytes of padding blocks and padding rows.
struct MxStalePadding : FlashinferMxfp8Cute {
  static constexpr bool kWritesPadding = false;
};

struct TransposedBytes : BytesOut {
  int64_t place(int64_t r, int32_t g) const { return g * rows + r; }
};
/// Writes row-major bytes at the start of the tiled tensor, and zeros after them.
struct RowMajorBytes : BytesOut {
  int64_t place(int64_t r, int32_t g) const { return r * groups + g; }
  template <class Rules>
  void write_absent() const {
    const int64_t first = simt::block() * simt::block_size() + simt::thread(), threads = simt::grid_size() * simt::block_size();
    for (int64_t i = rows * groups + first; i < padded_rows * padded_groups; i += threads) data[i] = 0;
  }
};
/// Treats the rows of all experts as one matrix; each expert's rows should start in a new tile.
struct OneMatrixOfExperts : ExpertBytesOut {
  int64_t place(int64_t r, int32_t g) const { return place_in_tiles(ScaleTile::k128x4, padded_groups, r, g); }
};

/// Writes zeros for all padding blocks of the tiles.
template <class Places>
void clear_absent(const Places& p, int64_t padded_rows) {
  const int64_t first = simt::block() * simt::block_size() + simt::thread(), threads = simt::grid_size() * simt::block_size();
  for (int64_t i = first; i < padded_rows * p.padded_groups; i += threads)
    if (const int64_t row = i / p.padded_groups, g = i % p.padded_groups; row >= p.rows || g >= p.groups)
      p.data[p.place(row, int32_t(g))] = 0;
}
/// Treats all batches as one matrix; each batch's rows should start in a new tile.
struct OneMatrixOfBatches : OneMatrixOfExperts {
  template <class Rules>
  void write_absent() const {
    clear_absent(*this, first_scale[experts]);
  }
};
/// Does not write the padding rows of scales after a batch's last row.
struct MxStaleBatches : TorchaoMxFloor {
  static constexpr bool kWritesAbsentRows = false;
};
/// Uses layout e8m0_32x8 (tiles of 32 rows and 8 blocks); the contract has gfx1250's e8m0_n32k4 (32 rows and 4 blocks).
struct BytesOfOtherChip : BytesOut {
  int64_t place(int64_t r, int32_t g) const { return place_in_tiles(ScaleTile::k32x8, padded_groups, r, g); }
  template <class Rules>
  void write_absent() const {
    clear_absent(*this, padded_rows);
  }
};

/// Runs a contract's kernel, but stores the scales at the positions that `Places` computes.
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

/// Rounds to nearest; the op truncates. About half of all codes are then one too high.
struct Int8NearestForTruncation : VllmGroupInt8 {
  using Code = Int8Nearest;
};

/// Truncates; the op rounds.
struct Int8TruncationForNearest : VllmPerTokenInt8 {
  using Code = Int8Truncated;
};

/// Uses C's round(), which rounds ties away from zero; the op rounds ties to even.
struct Int8TiesAwayForEven : VllmPerTokenInt8 {
  using Code = Int8TiesAway;
};

/// Clamps to -127..127; the op clamps to -128..127.
struct Int8LimitedEvenly : VllmStaticInt8 {
  static float clamp(float v) { return clamp_keep(v, 127.0f); }
};

/// Multiplies by the reciprocal of the stored scale, which is rounded once more than 127 / amax.
struct Int8InverseOfScale : VllmPerTokenInt8 {
  static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
};

/// Has no lower limit for amax: a group of zeros gets scale 0, and 0 / 0 is clamped to the lowest code.
struct Int8ZeroGroup : VllmGroupInt8 {
  static float amax(float widest) { return widest; }
};

/// Takes the low byte of the int32; the op saturates.
struct Int8LowByte : Int8Nearest {
  static uint8_t encode(float v) { return uint8_t(simt::to_int32_sat(v)); }
  static uint32_t encode4(const float* v) { return encode4_one_by_one<Int8LowByte>(v); }
};
struct Int8CodeWraps : VllmStaticInt8 {
  using Code = Int8LowByte;
};

/// Lets an int32 sum wrap; the op saturates.
struct AzpSumWraps : VllmStaticInt8Azp {
  static int32_t integer(float x, float m, int32_t azp) { return int32_t(uint32_t(simt::to_int32_sat(x * m)) + uint32_t(azp)); }
};

/// Rounds once, after adding the zero point. If the zero point is odd, ties then round to the other neighbour.
struct AzpAddedBeforeRounding : VllmPerTokenInt8Azp {
  static int32_t integer(float x, float m, int32_t azp) { return simt::to_int32_sat(x * m + float(azp)); }
};

struct AzpForgotten : VllmPerTokenInt8Azp {
  static int32_t integer(float x, float m, int32_t /*azp*/) { return simt::to_int32_sat(x * m); }
};

/// Computes the zero point by int(), which truncates.
struct AzpCutOff : VllmPerTokenInt8Azp {
  static int32_t zero(float lo, float scale) {
    const float v = -128.0f - lo / scale;
    return simt::magnitude(v) < 0x1p31f ? int32_t(v) : simt::to_int32_sat(v);
  }
};

/// Divides the range of a row by 254 instead of 255.
struct Azp254Steps : VllmPerTokenInt8Azp {
  static float scale(float lo, float hi) { return (hi + 0.0f - lo) / 254.0f; }
};

/// Starts the maximum from 0, which is wrong for rows of negative values.
struct AzpMaximumFromZero : VllmPerTokenInt8Azp {
  static constexpr float kGreatestAtFirst = 0.0f;
};

// Rows of the kernel table for groups and tokens whose scales are computed.

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

// Rows of the kernel table for per-tensor scales, and for scales that are inputs.

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

// Rows of the kernel table for block quantization and scale packing.

template <class Rules>
Kernel of_blocks(const char* name, const char* cites) {
  return {name, "quant_tile", {Rules::kContract}, block_accepts(), {}, run_block<Rules>, name, cites, "quant_block"};
}

template <class Rules>
Kernel of_packs(const char* name, const char* cites) {
  return {name, "pack_scales", {Rules::kContract}, pack_accepts(), {}, run_pack<Rules>, name, cites, "pack_scales"};
}

// Rows of the kernel table for MXFP8, of one matrix and of experts.

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

// Rows of the kernel table for int8 with a zero point.

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
