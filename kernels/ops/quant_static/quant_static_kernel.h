// Quantization by scales that are inputs: per tensor, per row or per group.
#pragma once

#include "kernels/ops/call.h"
#include "kernels/ops/kernel_common.h"
#include "kernels/ops/quant_group/quant_group_rules.h"

namespace assay_kernels {

// Static quantization of tensors and groups.
// Source: vLLM csrc/libtorch_stable/quantization/w8a8/fp8/common.cu (094be773), utils.cuh (1f89a92c), input_quant_fp8.py
// (014af6b5), csrc/quantization/w8a8/int8/scaled_quant.cu (180df48e); aiter csrc/kernels/quant_kernels.cu (e4048607).

/// Multiplies elements by the reciprocal of the scale.
struct StaticRules : GroupRules {
  using Element = simt::Multiply;
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
};

struct VllmStatic : StaticRules {
  static constexpr const char* kContract = "vllm.static";
  SIMT_DEVICE static float clamp(float v) { return clamp_min_max(v, 448.0f); }
};

struct VllmStaticFnuz : StaticRules {
  static constexpr const char* kContract = "vllm.static_fnuz";
  using Code = E4m3fnuzSat;
  SIMT_DEVICE static float clamp(float v) { return clamp_min_max(v, 224.0f); }
};

struct VllmStaticNative : StaticRules {
  static constexpr const char* kContract = "vllm.static_native";
  SIMT_DEVICE static float clamp(float v) { return clamp_keep(v, 448.0f); }
};

/// The arithmetic of Base, with group scales whose positions follow from the strides of the scale tensor.
template <class Base>
struct ByStrides : Base {
  static int64_t row_stride(const assay_tensor& scale) { return scale.strides[0]; }
  static int64_t group_stride(const assay_tensor& scale) { return scale.strides[1]; }
};

struct VllmStaticGroup : ByStrides<VllmStatic> {
  static constexpr const char* kContract = "vllm.static_group";
};

struct VllmStaticGroupFnuz : ByStrides<VllmStaticFnuz> {
  static constexpr const char* kContract = "vllm.static_group_fnuz";
};

/// v_rcp_f32 may be off by an ulp; this kernel uses the rounded quotient, which is allowed. The clamp is v_med3_f32, which maps
/// NaN to the lower limit -448.
struct AiterStatic : StaticRules {
  static constexpr const char* kContract = "aiter.static";
  SIMT_DEVICE static float clamp(float v) { return clamp_max_min(v, 448.0f); }
};

struct AiterStaticFnuz : StaticRules {
  static constexpr const char* kContract = "aiter.static_fnuz";
  using Code = E4m3fnuzSat;
  SIMT_DEVICE static float clamp(float v) { return clamp_max_min(v, 240.0f); }
};

/// scaled_int8_quant: divides by the scale and rounds to nearest. The smallest code is -128.
struct VllmStaticInt8 : GroupRules {
  static constexpr const char* kContract = "vllm.static_int8";
  using Code = Int8Nearest;
  using Element = simt::DivideSaturating;
};

// Quantization by one scale in memory, which is an input or was computed by an earlier launch.

inline constexpr int kGivenThreads = 256;
inline constexpr int kGivenLoads = 4;  ///< loads in flight per thread

/// Elements per thread block.
template <class T>
inline constexpr int64_t kGivenChunk = int64_t{kGivenThreads} * kGivenLoads * simt::Vector<T>::kElements;

/// Loads 16 bytes of a dense matrix with n elements, from element `first` on. Elements >= n are zeros.
template <class T>
SIMT_DEVICE simt::Vector<T> load_within(const T* x, int64_t first, int64_t n) {
  if (first + simt::Vector<T>::kElements <= n) return simt::load16(x + first);
  simt::Vector<T> rest{};
  SIMT_UNROLL
  for (int i = 0; i < simt::Vector<T>::kElements; ++i)
    if (first + i < n) rest.at[i] = x[first + i];
  return rest;
}

template <class Rules, class T>
SIMT_KERNEL void quant_given(const T* x, uint8_t* q, const float* scale, int64_t n) {
  constexpr int kElements = simt::Vector<T>::kElements;
  const int64_t begin = simt::block() * kGivenChunk<T>;
  const typename Rules::Element element(Rules::operand(0.0f, *scale));
  simt::Vector<T> v[kGivenLoads];
  SIMT_UNROLL
  for (int k = 0; k < kGivenLoads; ++k) v[k] = load_within(x, begin + int64_t{k * kGivenThreads + simt::thread()} * kElements, n);
  SIMT_UNROLL
  for (int k = 0; k < kGivenLoads; ++k) {
    const int64_t first = begin + int64_t{k * kGivenThreads + simt::thread()} * kElements;
    float u[kElements];
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) u[i] = Rules::clamp(element(simt::to_float(v[k].at[i])));
    if (first + kElements <= n) {
      if constexpr (kElements == 8) {
        simt::store8(q + first, Rules::Code::encode4(u), Rules::Code::encode4(u + 4));
      } else {
        simt::store4(q + first, Rules::Code::encode4(u));
      }
    } else {
      SIMT_UNROLL
      for (int i = 0; i < kElements; ++i)
        if (first + i < n) q[first + i] = Rules::Code::encode(u[i]);
    }
  }
}

/// Does what quant_given() does, for rows that begin `pitch` elements apart: one block per row. Rows may be unaligned, so there are no 16-byte loads.
template <class Rules, class T>
SIMT_KERNEL void quant_given_rows(const T* x, uint8_t* q, const float* scale, int64_t columns, int64_t pitch) {
  const typename Rules::Element element(Rules::operand(0.0f, *scale));
  for (int64_t i = simt::thread(); i < columns; i += kGivenThreads)
    q[simt::block() * columns + i] = Rules::Code::encode(Rules::clamp(element(simt::to_float(x[simt::block() * pitch + i]))));
}

/// True if there is a gap between the rows of a matrix.
inline bool lies_apart(const assay_tensor& x, Shape shape) { return shape.rows > 1 && x.strides[0] != shape.columns; }

/// Case parameters that a kernel with one scale accepts, as describe() of the C ABI lists them.
inline Accepts one_scale_accepts() {
  return {{"x", kAny}, {"group_size", {"tensor"}}, {"layout", {"row"}}, {"warp", simt::kWarpSizes}};
}

/// Checks x, q and scale of a call. Returns the shape of x.
template <class Rules>
Shape matrices_of_scales(const Call& call, const assay_tensor& scale, bool may_lie_apart = false) {
  const assay_tensor &x = call.input("x"), &q = call.output("q");
  const Shape shape = may_lie_apart ? matrix_of_rows(x) : dense_matrix(x), out = dense_matrix(q);
  if (out.rows != shape.rows || out.columns != shape.columns) failed("q must have the shape of x");
  if (!has_type(q, Rules::Code::kType, 8)) unsupported(std::string("q must have the code type of contract ") + Rules::kContract);
  if (!has_type(scale, ASSAY_FLOAT, 32)) unsupported("scale must be fp32");
  expect_aligned(x);
  expect_aligned(q);
  return shape;
}

template <class Rules>
Shape matrices_of_one_scale(const Call& call, const assay_tensor& scale) {
  const Shape shape = matrices_of_scales<Rules>(call, scale, true);
  expect_matrix(scale, {1, 1});
  return shape;
}

template <class Rules>
void run_static(const Call& call) {
  const assay_tensor &x = call.input("x"), &scale = call.input("scale");
  const Shape shape = matrices_of_one_scale<Rules>(call, scale);
  const int64_t n = shape.rows * shape.columns;
  if (n == 0) return;
  with_type(x, [&](auto type) {
    using T = decltype(type);
    if (lies_apart(x, shape))
      return simt::launch(quant_given_rows<Rules, T>, call.grid(shape.rows, kGivenThreads), data_of<T>(x),
                          static_cast<uint8_t*>(call.output("q").data), data_of<float>(scale), shape.columns, x.strides[0]);
    simt::launch(quant_given<Rules, T>, call.grid((n + kGivenChunk<T> - 1) / kGivenChunk<T>, kGivenThreads),
                 data_of<T>(x), static_cast<uint8_t*>(call.output("q").data), data_of<float>(scale), n);
  });
}

// Static quantization by scales of groups of any shape. A thread handles one load in each of kGroupsRows rows, at the same
// columns. These loads are in flight together. If the rows share their scales, the thread computes the reciprocals once.

inline constexpr int kGroupsThreads = 256;

/// How the scales of one load's elements lie in memory.
enum class Across {
  kOne,    ///< one scale for all elements
  kDense,  ///< one scale per element; they are contiguous and loaded 16 bytes at a time
  kEach    ///< scales are loaded one by one; rows may end within a load
};

inline constexpr int kGroupsRows = 4;  ///< rows per thread

template <class T>
struct StaticArguments {
  const T* x;
  uint8_t* q;
  const float* scale;
  Shape shape;
  int64_t row_stride, group_stride;  ///< strides of the scales; may be 0
  Divider group_rows, group_columns;
  Divider loads;  ///< divides by the loads per row
};

/// Loads the scales of the elements of one load, which begins at column `first` of a row.
template <class Rules, Across kAcross, class T, int kScales>
SIMT_DEVICE void load_operands(const StaticArguments<T>& a, int64_t row, int64_t first, float (&operands)[kScales]) {
  const float* scales = a.scale + int64_t{a.group_rows.quotient(uint32_t(row))} * a.row_stride;
  if constexpr (kAcross == Across::kDense) {
    SIMT_UNROLL
    for (int i = 0; i < kScales; i += 4) {
      const simt::Vector<float> four = simt::load16(scales + first + i);
      SIMT_UNROLL
      for (int j = 0; j < 4; ++j) operands[i + j] = four.at[j];
    }
  } else {
    SIMT_UNROLL
    for (int i = 0; i < kScales; ++i) {
      const int64_t column = first + i < a.shape.columns ? first + i : a.shape.columns - 1;
      operands[i] = scales[int64_t{a.group_columns.quotient(uint32_t(column))} * a.group_stride];
    }
  }
}

/// kBand: the rows of a thread share their scales, so the thread computes their reciprocals once.
template <class Rules, class T, Across kAcross, bool kBand>
SIMT_KERNEL void quant_static_groups(StaticArguments<T> a) {
  constexpr int kElements = simt::Vector<T>::kElements, kScales = kAcross == Across::kOne ? 1 : kElements;
  constexpr int kRows = kGroupsRows, kBands = kBand ? 1 : kRows;
  const uint32_t id = uint32_t(simt::block() * kGroupsThreads + simt::thread());
  const uint32_t band = a.loads.quotient(id);
  const int64_t top = int64_t{band} * kRows, first = int64_t{id - band * a.loads.divisor} * kElements;
  const bool whole = kAcross != Across::kEach || a.shape.columns % kElements == 0;
  if (top >= a.shape.rows) return;
  float operands[kBands][kScales];
  SIMT_UNROLL
  for (int k = 0; k < kBands; ++k)
    load_operands<Rules, kAcross>(a, top + k < a.shape.rows ? top + k : a.shape.rows - 1, first, operands[k]);
  simt::Vector<uint32_t> words[kRows];
  SIMT_UNROLL
  for (int k = 0; k < kRows; ++k)
    words[k] = top + k < a.shape.rows ? load_of_row(a.x + (top + k) * a.shape.columns, first, a.shape.columns, whole)
                                      : simt::Vector<uint32_t>{};
  SIMT_UNROLL
  for (int k = 0; k < kBands; ++k) {
    SIMT_UNROLL
    for (int i = 0; i < kScales; ++i) operands[k][i] = Rules::operand(0.0f, operands[k][i]);
  }
  SIMT_UNROLL
  for (int k = 0; k < kRows; ++k) {
    if (top + k >= a.shape.rows) return;
    const simt::Vector<T> v = elements_of<T>(words[k]);
    float u[kElements];
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) {
      const typename Rules::Element element(operands[kBand ? 0 : k][kScales == 1 ? 0 : i]);
      u[i] = Rules::clamp(element(simt::to_float(v.at[i])));
    }
    store_of_row<typename Rules::Code>(a.q + (top + k) * a.shape.columns, first, a.shape.columns, whole, u);
  }
}

template <class Rules, class T, Across kAcross>
void launch_static_groups(const Call& call, StaticArguments<T> a) {
  constexpr int kRows = kGroupsRows;
  const int64_t bands = (a.shape.rows + kRows - 1) / kRows, loads = a.loads.divisor;
  if (loads * bands > 0x7fffffff - kGroupsThreads)
    unsupported("x is too large: the kernel counts 16-byte vectors in 32 bits");
  const simt::Launch grid = call.grid((loads * bands + kGroupsThreads - 1) / kGroupsThreads, kGroupsThreads);
  if (a.group_rows.divisor % kRows == 0) return simt::launch(quant_static_groups<Rules, T, kAcross, true>, grid, a);
  simt::launch(quant_static_groups<Rules, T, kAcross, false>, grid, a);
}

template <class Rules>
void run_static_groups(const Call& call) {
  const assay_tensor &x = call.input("x"), &scale = call.input("scale");
  const Shape shape = matrices_of_scales<Rules>(call, scale);
  if (scale.ndim != 2) failed("tensor 'scale' must have two dimensions");
  const Shape groups{scale.shape[0], scale.shape[1]};
  expect_matrix(scale, groups);
  if (shape.rows == 0) return;
  if (groups.rows <= 0 || groups.columns <= 0 || shape.rows % groups.rows != 0 || shape.columns % groups.columns != 0)
    failed("scale [" + std::to_string(groups.rows) + ", " + std::to_string(groups.columns) + "] does not divide x [" +
           std::to_string(shape.rows) + ", " + std::to_string(shape.columns) + "] into equal groups");
  if (shape.rows > 0x7fffffff || shape.columns > 0x7fffffff) unsupported("x must have at most 2^31 - 1 rows and columns");
  with_type(x, [&](auto type) {
    using T = decltype(type);
    constexpr int kElements = simt::Vector<T>::kElements;
    const int64_t loads = (shape.columns + kElements - 1) / kElements, columns = shape.columns / groups.columns;
    const StaticArguments<T> a{data_of<T>(x),
                               static_cast<uint8_t*>(call.output("q").data),
                               data_of<float>(scale),
                               shape,
                               Rules::row_stride(scale),
                               Rules::group_stride(scale),
                               Divider::by(uint32_t(shape.rows / groups.rows)),
                               Divider::by(uint32_t(columns)),
                               Divider::by(uint32_t(loads))};
    const bool aligned = reinterpret_cast<uintptr_t>(scale.data) % 16 == 0 && (groups.rows == 1 || a.row_stride % 4 == 0);
    if (columns % kElements == 0) return launch_static_groups<Rules, T, Across::kOne>(call, a);
    if (columns == 1 && a.group_stride == 1 && shape.columns % kElements == 0 && aligned)
      return launch_static_groups<Rules, T, Across::kDense>(call, a);
    launch_static_groups<Rules, T, Across::kEach>(call, a);
  });
}

/// Case parameters that a kernel whose group scales are inputs accepts, as describe() of the C ABI lists them: any group size.
inline Accepts static_groups_accept() {
  return {{"x", kAny}, {"layout", {"row", "col", "tma", "one"}}, {"warp", simt::kWarpSizes}};
}

}  // namespace assay_kernels
