// Static quantization by scales of groups of any shape. As many rows of one column of loads as a thread has loads in flight; the
// reciprocal of a scale is taken once for all of them that share it.
#pragma once

#include "kernels/ops/quant_static/given.h"
#include "kernels/ops/row_loads.h"

namespace assay_kernels {

inline constexpr int kGroupsThreads = 256;
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

/// kOne: all elements of a load share a scale.
template <class Rules, class T, bool kOne>
SIMT_KERNEL void quant_static_groups(StaticArguments<T> a) {
  constexpr int kElements = simt::Vector<T>::kElements, kScales = kOne ? 1 : kElements;
  const uint32_t id = uint32_t(simt::block() * kGroupsThreads + simt::thread());
  const uint32_t band = a.loads.quotient(id);
  const int64_t top = int64_t{band} * kGroupsRows, first = int64_t{id - band * a.loads.divisor} * kElements;
  const bool whole = a.shape.columns % kElements == 0;
  simt::Vector<T> v[kGroupsRows];
  SIMT_UNROLL
  for (int k = 0; k < kGroupsRows; ++k)
    v[k] = top + k < a.shape.rows ? load_of_row(a.x + (top + k) * a.shape.columns, first, a.shape.columns, whole)
                                  : simt::Vector<T>{};
  int64_t places[kScales];
  SIMT_UNROLL
  for (int i = 0; i < kScales; ++i) {
    const int64_t column = first + i < a.shape.columns ? first + i : a.shape.columns - 1;
    places[i] = int64_t{a.group_columns.quotient(uint32_t(column))} * a.group_stride;
  }
  float operands[kScales] = {};
  uint32_t of_row = ~0u;
  SIMT_UNROLL
  for (int k = 0; k < kGroupsRows; ++k) {
    if (top + k >= a.shape.rows) return;
    const uint32_t group_row = a.group_rows.quotient(uint32_t(top + k));
    if (group_row != of_row) {
      of_row = group_row;
      SIMT_UNROLL
      for (int i = 0; i < kScales; ++i)
        operands[i] = Rules::operand(0.0f, a.scale[int64_t{group_row} * a.row_stride + places[i]]);
    }
    float u[kElements];
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) {
      const typename Rules::Element element(operands[kOne ? 0 : i]);
      u[i] = Rules::clamp(element(simt::to_float(v[k].at[i])));
    }
    store_of_row<typename Rules::Code>(a.q + (top + k) * a.shape.columns, first, a.shape.columns, whole, u);
  }
}

template <class Rules>
void run_static_groups(const Call& call) {
  const assay_tensor &x = call.input("x"), &scale = call.input("scale");
  const Shape shape = matrices_of_scales<Rules>(call, scale);
  if (scale.ndim != 2) wrong("tensor 'scale' must have two dimensions");
  const Shape groups{scale.shape[0], scale.shape[1]};
  expect_matrix(scale, groups);
  if (shape.rows == 0) return;
  if (groups.rows <= 0 || groups.columns <= 0 || shape.rows % groups.rows != 0 || shape.columns % groups.columns != 0)
    wrong("scale [" + std::to_string(groups.rows) + ", " + std::to_string(groups.columns) + "] does not divide x [" +
          std::to_string(shape.rows) + ", " + std::to_string(shape.columns) + "] into groups");
  const int64_t bands = (shape.rows + kGroupsRows - 1) / kGroupsRows;
  with_type(x, [&](auto type) {
    using T = decltype(type);
    constexpr int kElements = simt::Vector<T>::kElements;
    const int64_t loads = (shape.columns + kElements - 1) / kElements, group_columns = shape.columns / groups.columns;
    if (loads * bands > 0x7fffffff - kGroupsThreads || shape.rows > 0x7fffffff || shape.columns > 0x7fffffff)
      unsupported("more than 2^31 loads, rows or columns");
    const StaticArguments<T> a{data_of<T>(x),
                               static_cast<uint8_t*>(call.output("q").data),
                               data_of<float>(scale),
                               shape,
                               Rules::row_stride(scale),
                               Rules::group_stride(scale),
                               Divider::by(uint32_t(shape.rows / groups.rows)),
                               Divider::by(uint32_t(group_columns)),
                               Divider::by(uint32_t(loads))};
    const simt::Launch grid = call.grid((loads * bands + kGroupsThreads - 1) / kGroupsThreads, kGroupsThreads);
    if (group_columns % kElements == 0) return simt::launch(quant_static_groups<Rules, T, true>, grid, a);
    simt::launch(quant_static_groups<Rules, T, false>, grid, a);
  });
}

/// What a kernel of given scales of groups accepts, for describe(): any group size.
inline decltype(Kernel::accepts) static_groups_accept() {
  return {{"x", R"(["bf16", "f16", "f32"])"}, {"layout", R"(["row", "col", "tma", "one"])"}, {"warp", simt::kWarpSizes}};
}

}  // namespace assay_kernels
