// Calls too large to be looked at from the host: inputs are counted up and codes compared where they lie.
//
// These kernels are asked by the harness, not judged by it. They know no format: a code is right if it is the one that a table of
// steps gives its input. That table comes with the call, from the reference; integers are all there is to compute.
#pragma once

#include "kernels/simt/simt.h"

namespace assay_kernels {

/// The last input of each step and its code, ascending; the last step ends at the last input there is.
struct Steps {
  const uint32_t* table;
  int32_t count;

  SIMT_DEVICE uint32_t last(int32_t step) const { return table[2 * step]; }
  SIMT_DEVICE uint8_t code(int32_t step) const { return uint8_t(table[2 * step + 1]); }
  SIMT_DEVICE int32_t of(uint32_t input) const {
    int32_t low = 0, high = count - 1;
    while (low < high) {
      const int32_t middle = (low + high) / 2;
      last(middle) < input ? low = middle + 1 : high = middle;
    }
    return low;
  }
};

inline constexpr int kWatchThreads = 256;
inline constexpr int kWatchCodes = 16;            ///< of a thread at a time
inline constexpr int64_t kWatchInputs = 1 << 15;  ///< of a warp, which gives one count of wrong ones

/// Calls visit(i) for the places of all sixteens of this thread. Those of a warp follow each other.
template <int kWarp, class Visit>
SIMT_DEVICE void for_each_sixteen(int64_t count, Visit visit) {
  const int64_t warp = (simt::block() * simt::block_size() + simt::thread()) / kWarp;
  int64_t i = warp * kWatchInputs + simt::thread() % kWarp * kWatchCodes;
  for (int turn = 0; turn < kWatchInputs / kWatchCodes / kWarp && i < count; ++turn, i += kWarp * kWatchCodes) visit(i);
}

/// x counts up from `first`; q holds what no right kernel leaves there, so that a code that is not written is wrong.
template <int kWarp>
SIMT_KERNEL void watch_prepare(uint32_t* x, uint8_t* q, int64_t count, uint32_t first, Steps steps) {
  for_each_sixteen<kWarp>(count, [=](int64_t i) {
    int32_t step = steps.of(first + uint32_t(i));
    simt::Vector<uint8_t> codes;
    SIMT_UNROLL
    for (int k = 0; k < kWatchCodes; ++k) {
      while (steps.last(step) < first + uint32_t(i) + k) ++step;
      codes.at[k] = uint8_t(~steps.code(step));
    }
    simt::store16(q + i, codes);
    SIMT_UNROLL
    for (int k = 0; k < kWatchCodes; k += 4) {
      const uint32_t input = first + uint32_t(i) + k;
      simt::store16(x + i + k, simt::Vector<uint32_t>{{input, input + 1, input + 2, input + 3}});
    }
  });
}

/// wrong[w]: inputs w * 2^15 to (w + 1) * 2^15 - 1 whose code is wrong, or that are no longer what they were.
template <int kWarp>
SIMT_KERNEL void watch_compare(const uint32_t* x, const uint8_t* q, int64_t count, uint32_t first, Steps steps, int32_t* wrong) {
  int32_t found = 0;
  for_each_sixteen<kWarp>(count, [&](int64_t i) {
    int32_t step = steps.of(first + uint32_t(i));
    const auto codes = simt::load16(q + i);
    SIMT_UNROLL
    for (int k = 0; k < kWatchCodes; k += 4) {
      const auto inputs = simt::load16(x + i + k);
      SIMT_UNROLL
      for (int j = 0; j < 4; ++j) {
        const uint32_t input = first + uint32_t(i) + k + j;
        while (steps.last(step) < input) ++step;
        found += codes.at[k + j] != steps.code(step) || inputs.at[j] != input;
      }
    }
  });
  const float all = simt::lane_reduce<kWarp, kWarp>(float(found), [](float a, float b) { return a + b; });  // below 2^24: exact
  const int64_t warp = (simt::block() * simt::block_size() + simt::thread()) / kWarp;
  if (simt::thread() % kWarp == 0 && warp * kWatchInputs < count) wrong[warp] = int32_t(all);
}

}  // namespace assay_kernels
