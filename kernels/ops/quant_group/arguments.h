// Where the numbers of a group quantization lie, as the kernels see it, and how they store a scale and eight codes.
#pragma once

#include "kernels/ops/quant_group/quotients.h"
#include "kernels/ops/quant_group/widest.h"

namespace assay_kernels {

template <class T>
struct GroupArguments {
  const T* x;
  uint8_t* q;
  ScalesOut scales;
  int32_t group_size;
  Divider by_size;        ///< group_size
  float scale_ub = 0.0f;  ///< of contracts that bound amax by it
};

/// Zeros in the bytes of groups that a row's last word lacks. The threads of the grid share the rows.
template <class Rules>
SIMT_DEVICE void write_absent_groups(const ScalesOut& out) {
  if constexpr (Rules::kPacked && Rules::kWritesPadding) {
    if (out.groups % 4 == 0) return;
    const int64_t last = (out.groups - 1) / 4 * out.padded_rows;
    for (int64_t row = simt::block() * simt::block_size() + simt::thread(); row < out.rows;
         row += simt::grid_size() * simt::block_size())
      for (int32_t k = out.groups % 4; k < 4; ++k) static_cast<uint8_t*>(out.data)[4 * (last + row) + k] = 0;
  }
}

/// Zeros in the words of rows below the last; those of the last column lie beyond the allocation. The first block writes them.
template <class Rules>
SIMT_DEVICE void write_absent_rows(const ScalesOut& out) {
  if constexpr (Rules::kPacked && Rules::kWritesPadding && Rules::kWritesRows) {
    if (simt::block() != 0 || out.padded_rows == out.rows) return;
    for (int32_t column = simt::thread(); 4 * (column + 1) < out.groups; column += simt::block_size())
      for (int64_t row = out.rows; row < out.padded_rows; ++row)
        static_cast<uint32_t*>(out.data)[column * out.padded_rows + row] = 0;
  }
}

/// Called by one thread of the group.
template <class Rules>
SIMT_DEVICE void store_scale(const ScalesOut& out, int64_t row, int32_t group, float scale) {
  if constexpr (Rules::kPacked) {
    static_cast<uint8_t*>(out.data)[4 * (group / 4 * out.padded_rows + row) + group % 4] = uint8_t(simt::bits(scale) >> 23);
  } else {
    static_cast<float*>(out.data)[Rules::place(out, row, group)] = scale;
  }
}

/// Eight codes at a time, or sixteen.
template <int kWords>
SIMT_DEVICE void store_code_words(uint8_t* q, const uint32_t (&codes)[kWords]) {
  SIMT_UNROLL
  for (int i = 0; i < kWords; i += kWords % 4 == 0 ? 4 : 2) {
    if constexpr (kWords % 4 == 0) {
      simt::store16(reinterpret_cast<uint32_t*>(q) + i, simt::Vector<uint32_t>{{codes[i], codes[i + 1], codes[i + 2], codes[i + 3]}});
    } else {
      simt::store8(q + 4 * i, codes[i], codes[i + 1]);
    }
  }
}

/// kElements neighbouring elements of one thread, whose widest is known, kLanes threads a group: reduces, stores the scale and
/// the codes. All threads of the warp take part; those that are not `live` store nothing.
template <class Rules, int kWarp, int kLanes, int kElements>
SIMT_DEVICE void quantize_elements(const float (&v)[kElements], float widest, bool live, uint8_t* q, const ScalesOut& out,
                                   int64_t row, int32_t group, float scale_ub = 0.0f) {
  static_assert(kElements % 8 == 0, "eight codes are stored at a time");
  widest = simt::lane_reduce<kWarp, Rules::template kReach<kWarp, kLanes>>(widest,
                                                                           [](float a, float b) { return Rules::widest(a, b); });

  const float amax = Rules::amax(widest);
  float scale;
  if constexpr (Rules::kBounded) {
    scale = Rules::scale_within(amax, scale_ub);
  } else {
    scale = Rules::scale(amax);
  }
  if (!live) return;
  uint32_t codes[kElements / 4];
  const CodesOf<Rules> codes_of(Rules::operand(amax, scale));
  codes_of(v, codes);
  store_code_words(q, codes);
  if (simt::thread() % kLanes == 0) store_scale<Rules>(out, row, group, scale);
}

/// The same of elements whose widest is not known.
template <class Rules, int kWarp, int kLanes, int kElements>
SIMT_DEVICE void quantize_elements(const float (&v)[kElements], bool live, uint8_t* q, const ScalesOut& out, int64_t row,
                                   int32_t group, float scale_ub = 0.0f) {
  quantize_elements<Rules, kWarp, kLanes>(v, widest_of<Rules>(v, Rules::widest_of_none()), live, q, out, row, group, scale_ub);
}

}  // namespace assay_kernels
