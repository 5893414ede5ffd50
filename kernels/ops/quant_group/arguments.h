// Where the numbers of a group quantization lie, as the kernels see it, and how they store a scale and eight codes.
#pragma once

#include "kernels/ops/quant_group/rules.h"

namespace assay_kernels {

template <class T>
struct GroupArguments {
  const T* x;
  uint8_t* q;
  ScalesOut scales;
  int32_t group_size;
};

/// Words of the last row's column below it are padding rows; those of the last column lie beyond the allocation.
template <class Rules>
SIMT_DEVICE void pad_rows(const ScalesOut& out, int64_t row, int32_t word) {
  if (!Rules::kWritesPadding || row != out.rows - 1 || 4 * (word + 1) >= out.groups) return;
  uint32_t* column = static_cast<uint32_t*>(out.data) + word * out.padded_rows;
  for (int64_t r = out.rows; r < out.padded_rows; ++r) column[r] = 0;
}

/// Called by one thread of the group.
template <class Rules>
SIMT_DEVICE void store_scale(const ScalesOut& out, int64_t row, int32_t group, float scale) {
  if constexpr (Rules::kPacked) {
    uint8_t* word = static_cast<uint8_t*>(out.data) + 4 * (group / 4 * out.padded_rows + row);
    word[group % 4] = uint8_t(simt::bits(scale) >> 23);
    if (Rules::kWritesPadding && group == out.groups - 1)
      for (int32_t k = group % 4 + 1; k < 4; ++k) word[k] = 0;
    if (group % 4 == 0) pad_rows<Rules>(out, row, group / 4);
  } else {
    static_cast<float*>(out.data)[Rules::place(out, row, group)] = scale;
  }
}

/// Eight elements of one thread, kLanes threads a group: reduces, stores the scale and the codes. All threads of the warp take
/// part; those that are not `live` store nothing.
template <class Rules, int kWarp, int kLanes>
SIMT_DEVICE void quantize_eight(const float (&v)[8], bool live, uint8_t* q, const ScalesOut& out, int64_t row, int32_t group) {
  float widest = 0.0f;
  SIMT_UNROLL
  for (int i = 0; i < 8; ++i) widest = Rules::widest(widest, simt::magnitude(v[i]));
  widest = simt::lane_reduce<kWarp, Rules::template kReach<kWarp, kLanes>>(widest,
                                                                           [](float a, float b) { return Rules::widest(a, b); });

  const float amax = Rules::amax(widest);
  const float scale = Rules::scale(amax);
  const typename Rules::Element element(Rules::operand(amax, scale));
  float u[8];
  SIMT_UNROLL
  for (int i = 0; i < 8; ++i) u[i] = Rules::clamp(element(v[i]));
  if (!live) return;
  simt::store8(q, Rules::Code::encode4(u), Rules::Code::encode4(u + 4));
  if (simt::thread() % kLanes == 0) store_scale<Rules>(out, row, group, scale);
}

}  // namespace assay_kernels
