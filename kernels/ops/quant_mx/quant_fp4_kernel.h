// FP4 quantization: E2M1 codes, two in a byte. NVFP4 has blocks of 16 elements with an E4M3 scale, usually relative to a scale of
// the tensor; MXFP4 has blocks of 32 elements with an E8M0 scale.
#pragma once

#include "kernels/ops/call.h"
#include "kernels/ops/kernel_common.h"
#include "kernels/ops/quant_mx/quant_mx_kernel.h"

namespace assay_kernels {

inline constexpr int kFp4Threads = 128;
inline constexpr uint32_t kNanBits = 0x7fc00000u;

/// The value of an E4M3 code.
SIMT_DEVICE float e4m3_value(uint32_t code) {
  const uint32_t exponent = code >> 3 & 15u, mantissa = code & 7u;
  if ((code & 0x7fu) == 0x7fu) return simt::from_bits(kNanBits);
  return exponent == 0u ? float(mantissa) * 0x1p-9f : simt::from_bits((exponent + 120u) << 23 | mantissa << 20);
}

/// As cvt.rn.satfinite.e2m1x2.f32: the nearest of 0, 0.5, 1, 1.5, 2, 3, 4 and 6, ties to even codes. NaN becomes 6.
SIMT_DEVICE uint32_t e2m1_code(float v) {
  const float m = simt::magnitude(v);
  if (!(m <= 5.0f)) return v < 0.0f ? 15u : 7u;
  const uint32_t code = uint32_t(m > 0.25f) + uint32_t(m >= 0.75f) + uint32_t(m > 1.25f) + uint32_t(m >= 1.75f) + uint32_t(m > 2.5f) +
                        uint32_t(m >= 3.5f);
  return (simt::bits(v) >> 28 & 8u) | code;
}

/// Defaults. A contract computes a block's scale byte, and the multiplier of its elements, from amax (the block's largest
/// magnitude) and the scale of the tensor.
struct Fp4Rules {
  static constexpr bool kPacked = false, kWritesPadding = true, kWritesAbsentRows = false, kHasTensorScale = false;
  static constexpr bool kHasRival = false;        ///< true: a block has two candidate scales (4over6)
  static constexpr bool kHasScaleOfRow = false;  ///< true: each row has a scale, instead of the whole tensor
  /// The amax of a block with a NaN. `amax`: the largest magnitude of its other elements. `all`: true if all its elements are NaN.
  SIMT_DEVICE static float with_nan(float amax, bool all) { return all ? simt::from_bits(kNanBits) : amax; }
  /// True if a block with this amax gets zeros as codes and as scale byte, without any further computation.
  SIMT_DEVICE static bool is_empty(float /*amax*/) { return false; }
  SIMT_DEVICE static float before(float v) { return v; }
  SIMT_DEVICE static float clamp(float v) { return v; }
  SIMT_DEVICE static uint32_t code(float v) { return e2m1_code(v); }
  SIMT_DEVICE static uint8_t pair(uint32_t first, uint32_t second) { return uint8_t(first | second << 4); }
  /// Index of the tensor scale (in global_scale) that applies to a row.
  template <class Out>
  SIMT_DEVICE static int64_t tensor_of(const Out& out, int64_t row) {
    return out.tensor_of(row);
  }
  /// True if a row is quantized. Masked experts have unused rows.
  template <class Out>
  SIMT_DEVICE static bool uses(const Out& out, int64_t row) {
    return out.uses(row);
  }
  /// Index of the first element over which a block's amax is computed. amax_size(): the number of these elements.
  SIMT_DEVICE static int64_t first_of_amax(int64_t element, int64_t /*columns*/) { return element; }
  template <class Rules>
  SIMT_DEVICE static constexpr int amax_size() {
    return Rules::kBlock;
  }
};

struct Nvfp4Rules : Fp4Rules {
  static constexpr int kBlock = 16;
  static constexpr int kScaleType = ASSAY_FLOAT8_E4M3FN;
  static constexpr bool kHasTensorScale = true;
};

/// Blocks of 32 elements. By default, an element is multiplied by 1 / scale, which is exact. `e`: the scale byte.
struct Mxfp4Rules : Fp4Rules {
  static constexpr int kBlock = 32;
  static constexpr int kScaleType = ASSAY_FLOAT8_E8M0FNU;
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e, float /*global*/) { return e8m0_reciprocal(e); }
};

/// Computes the amax of a block from elements that are passed one by one.
template <class Rules>
class Fp4Amax {
 public:
  SIMT_DEVICE void add(float v) {
    const float m = simt::magnitude(v);
    nans_ += int(m != m);
    amax_ = simt::max_number(amax_, m);
  }
  /// The amax of the `count` elements that were added.
  SIMT_DEVICE float of(int count) const { return nans_ > 0 ? Rules::with_nan(amax_, nans_ == count) : amax_; }

 private:
  float amax_ = 0.0f;
  int nans_ = 0;
};

/// The scale of the tensor, of an expert or of a row. In contracts without such scales, it is 1, and `global` is nullptr.
template <class Rules>
SIMT_DEVICE float tensor_scale(const float* global, int64_t tensor = 0) {
  return Rules::kHasTensorScale ? global[tensor] : 1.0f;
}

/// The value of an E2M1 code.
SIMT_DEVICE float e2m1_value(uint32_t code) {
  const uint32_t m = code & 7u;
  const float magnitude = m < 5u ? float(m) * 0.5f : float(m) - 2.0f + float(m == 7u);
  return (code & 8u) != 0u ? -magnitude : magnitude;
}

/// The sum over a block of Rules::error() of its codes, if its scale byte is `scale` and elements are multiplied by m.
template <class Rules>
SIMT_DEVICE float summed_errors(const float (&v)[Rules::kBlock], float m, uint32_t scale, float global) {
  float sum = 0.0f;
  for (int i = 0; i < Rules::kBlock; ++i) {
    const float code = e2m1_value(Rules::code(Rules::clamp(Rules::before(v[i]) * m)));
    sum += Rules::error(code, e4m3_value(scale), global, v[i]);
  }
  return sum;
}

/// Returns one of the two candidate scale bytes of a block: the rival if Rules::is_better() prefers its summed errors.
template <class Rules>
SIMT_DEVICE uint8_t chosen_scale(const float (&v)[Rules::kBlock], float amax, float global) {
  const uint8_t own = Rules::scale(amax, global), rival = Rules::rival(amax, global);
  const float error = summed_errors<Rules>(v, Rules::multiplier(amax, uint32_t{own}, global), uint32_t{own}, global);
  const float of_rival = summed_errors<Rules>(v, Rules::multiplier(amax, uint32_t{rival}, global), uint32_t{rival}, global);
  return Rules::is_better(of_rival, error) ? rival : own;
}

/// Stores the codes of a block of elements with the given amax. Returns its scale byte.
template <class Rules>
SIMT_DEVICE uint8_t store_fp4_block(const float (&v)[Rules::kBlock], float amax, float global, uint8_t* q) {
  if (Rules::is_empty(amax)) {
    for (int i = 0; i < Rules::kBlock / 2; ++i) q[i] = 0;
    return 0;
  }
  uint8_t scale;
  if constexpr (Rules::kHasRival)
    scale = chosen_scale<Rules>(v, amax, global);
  else
    scale = Rules::scale(amax, global);
  const float m = Rules::multiplier(amax, uint32_t{scale}, global);
  for (int i = 0; i < Rules::kBlock; i += 2) {
    const uint32_t first = Rules::code(Rules::clamp(Rules::before(v[i]) * m));
    const uint32_t second = Rules::code(Rules::clamp(Rules::before(v[i + 1]) * m));
    q[i / 2] = Rules::pair(first, second);
  }
  return scale;
}

/// Quantizes a block whose amax is computed over its own elements. Returns its scale byte.
template <class Rules>
SIMT_DEVICE uint8_t quantize_fp4_block(const float (&v)[Rules::kBlock], float global, uint8_t* q) {
  Fp4Amax<Rules> amax;
  for (const float element : v) amax.add(element);
  return store_fp4_block<Rules>(v, amax.of(Rules::kBlock), global, q);
}

template <class T>
struct Fp4Arguments {
  const T* x;
  const float* global;  ///< scales of tensors, experts or rows, or nullptr
  uint8_t* q;
  int64_t columns;
};

/// Each thread quantizes one block.
template <class Rules, class T, class Out>
SIMT_KERNEL void quant_fp4(Fp4Arguments<T> a, Out out) {
  constexpr int kBlock = Rules::kBlock, kOfAmax = Rules::template amax_size<Rules>();
  const int64_t block = simt::block() * simt::block_size() + simt::thread();
  if (block < out.rows * out.groups && Rules::uses(out, block / out.groups)) {
    const int64_t row = block / out.groups;
    const float global = tensor_scale<Rules>(a.global, Rules::kHasScaleOfRow ? row : Rules::tensor_of(out, row));
    const T* x = a.x + block * kBlock;
    const T* of_amax = a.x + Rules::first_of_amax(block * kBlock, a.columns);
    Fp4Amax<Rules> amax;
    for (int i = 0; i < kOfAmax; ++i) amax.add(simt::to_float(of_amax[i]));
    float v[kBlock];
    for (int i = 0; i < kBlock; ++i) v[i] = simt::to_float(x[i]);
    const uint8_t scale = store_fp4_block<Rules>(v, amax.of(kOfAmax), global, a.q + block * kBlock / 2);
    out.data[out.place(row, int32_t(block - row * out.groups))] = scale;
  }
  out.template write_absent<Rules>();
}

// Host side of FP4 quantization: checks the call and launches the kernel.

/// Checks `q` and `scale` of a call whose elements have the given shape. Returns the scale bytes.
BytesOut fp4_bytes_out(const Call& call, Shape shape, int block, int scale_type);

/// Checks `q` of a call whose elements have the given shape.
void expect_fp4_codes(const Call& call, Shape shape, int block);

/// The data of global_scale, with one scale for each tensor, expert or row; nullptr in contracts without it.
template <class Rules>
const float* fp4_global_scale(const Call& call, int64_t count = 1) {
  if constexpr (Rules::kHasTensorScale) {
    const assay_tensor& scale = call.input("global_scale");
    if (!has_type(scale, ASSAY_FLOAT, 32)) unsupported("global_scale must be f32");
    if (scale.ndim != 1 || scale.shape[0] != count)
      failed("global_scale must be a vector of " + std::to_string(count) + " elements");
    return data_of<float>(scale);
  } else {
    return nullptr;
  }
}

template <class Rules, class Out>
void launch_fp4(const Call& call, const Out& out, int64_t tensors = 1) {
  const assay_tensor& x = call.input("x");
  const float* const global = fp4_global_scale<Rules>(call, tensors);
  if (out.rows == 0) return;
  const simt::Launch grid = call.grid((out.rows * out.groups + kFp4Threads - 1) / kFp4Threads, kFp4Threads);
  with_half_type(x, [&](auto type) {
    using T = decltype(type);
    const Fp4Arguments<T> a{data_of<T>(x), global, static_cast<uint8_t*>(call.output("q").data), int64_t{out.groups} * Rules::kBlock};
    simt::launch(quant_fp4<Rules, T, Out>, grid, a, out);
  });
}

template <class Rules>
void run_fp4(const Call& call) {
  const Shape shape = dense_matrix(call.input("x"));
  launch_fp4<Rules>(call, fp4_bytes_out(call, shape, Rules::kBlock, Rules::kScaleType), Rules::kHasScaleOfRow ? shape.rows : 1);
}

/// Rows belong to experts. `expert_offsets` has the first row of each expert, `blockscale_offsets` its first row of scales.
template <class Rules>
void run_fp4_experts(const Call& call) {
  const Shape shape = dense_matrix(call.input("x"));
  expect_fp4_codes(call, shape, Rules::kBlock);
  const ExpertBytesOut out = expert_bytes_out(call, shape, Rules::kBlock, Rules::kScaleType);
  launch_fp4<Rules>(call, out, out.experts);
}

/// Checks `tokens`, `q` and `scale` of a call with masked experts.
MaskedBytesOut masked_bytes_out(const Call& call, Shape x, int block, int scale_type);

/// Masked experts; the tensor `tokens` has the number of rows in use of each expert.
template <class Rules>
void run_fp4_masked(const Call& call) {
  const MaskedBytesOut out = masked_bytes_out(call, dense_matrix(call.input("x")), Rules::kBlock, Rules::kScaleType);
  launch_fp4<Rules>(call, out, out.rows / int64_t{out.by_room.divisor});
}

inline const Values kNvfp4Layouts{"ue4m3_row", "ue4m3_128x4", "ue4m3_8x4"}, kMxfp4Layouts{"e8m0_row", "e8m0_128x4", "e8m0_8x4", "e8m0_32x8", "e8m0_a16w4"};
inline const Accepts kNvfp4Accepts{
    {"x", kHalf}, {"group_size", {"16+tensor"}}, {"layout", kNvfp4Layouts}, {"warp", simt::kWarpSizes}};
inline const Accepts kNvfp4RowAccepts{{"x", kHalf}, {"group_size", {"16+row"}}, {"layout", kNvfp4Layouts}, {"warp", simt::kWarpSizes}};
inline const Accepts kNvfp4BlockAccepts{{"x", kHalf}, {"group_size", {16}}, {"layout", kNvfp4Layouts}, {"warp", simt::kWarpSizes}};
inline const Accepts kMxfp4Accepts{{"x", kHalf}, {"group_size", {32}}, {"layout", kMxfp4Layouts}, {"warp", simt::kWarpSizes}};
inline const Accepts kNvfp4ExpertsAccepts{{"x", kHalf}, {"group_size", {"16+tensor"}}, {"layout", {"ue4m3_128x4"}}, {"warp", simt::kWarpSizes}};
inline const Accepts kMxfp4ExpertsAccepts{{"x", kHalf}, {"group_size", {32}}, {"layout", {"e8m0_128x4"}}, {"warp", simt::kWarpSizes}};

}  // namespace assay_kernels
