// Static quantization by scales of groups of any shape. A thread has a few rows of one column of loads in flight; where they
// share their scales, it takes their reciprocals once.
#pragma once

#include "kernels/ops/quant_static/given.h"
#include "kernels/ops/row_loads.h"

namespace assay_kernels {

inline constexpr int kGroupsThreads = 256;

/// The scales of one load.
enum class Across {
  kOne,    ///< they are one
  kDense,  ///< one an element, side by side: two loads of sixteen bytes
  kEach    ///< any; rows need not be whole loads
};

inline constexpr int kGroupsRows = 4;  ///< of one thread

template <class T>
struct StaticArguments {
  const T* x;
  uint8_t* q;
  const float* scale;
  Shape shape;
  int64_t row_stride, group_stride;  ///< of the scales; may be 0
  Divider group_rows, group_columns;
  Divider loads;  ///< of a row
};

/// Operands of the elements first .. of a row.
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

/// kBand: the rows of a thread share their scales, whose reciprocals are then taken once.
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
  if (loads * bands > 0x7fffffff - kGroupsThreads) unsupported("more than 2^31 loads");
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
           std::to_string(shape.rows) + ", " + std::to_string(shape.columns) + "] into groups");
  if (shape.rows > 0x7fffffff || shape.columns > 0x7fffffff) unsupported("more than 2^31 rows or columns");
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

/// What a kernel of given scales of groups accepts, for describe(): any group size.
inline Accepts static_groups_accept() {
  return {{"x", kAny}, {"layout", {"row", "col", "tma", "one"}}, {"warp", simt::kWarpSizes}};
}

}  // namespace assay_kernels
