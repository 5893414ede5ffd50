// What one lane loads of a row of 16-bit numbers.
#pragma once

#include "kernels/ops/quant_group/widest.h"
#include "kernels/ops/row_loads.h"

namespace assay_kernels {

/// kLoads neighbouring loads, as words of two numbers: 16-bit numbers would each take a register while the loads are in flight.
template <int kLoads>
struct LaneWords {
  static constexpr int kNumbers = 8 * kLoads;
  simt::Vector<uint32_t> at[kLoads];

  template <class T>
  SIMT_DEVICE void load(const T* from) {
    SIMT_UNROLL
    for (int k = 0; k < kLoads; ++k) at[k] = simt::load16(reinterpret_cast<const uint32_t*>(from) + 4 * k);
  }

  SIMT_DEVICE uint32_t pair(int i) const { return at[i / 4].at[i % 4]; }

  template <class T>
  SIMT_DEVICE void widen_to(float (&v)[kNumbers]) const {
    SIMT_UNROLL
    for (int i = 0; i < kNumbers / 2; ++i) simt::pair_to_floats<T>(pair(i), v[2 * i], v[2 * i + 1]);
  }
};

/// The largest magnitude of kLanes neighbouring lanes. All lanes of a warp take part.
template <class Rules, class T, int kWarp, int kLanes, int kLoads>
SIMT_DEVICE float widest_of_lanes(const LaneWords<kLoads>& words) {
  return simt::lane_reduce<kWarp, kLanes>(widest_of<Rules, T>(words.at), [](float a, float b) { return Rules::widest(a, b); });
}

/// Codes of the numbers of a lane, by an object that makes words of four of them.
template <class T, class Codes>
SIMT_DEVICE simt::Vector<uint32_t> codes_of_lane(const LaneWords<2>& words, const Codes& codes_of) {
  float v[16];
  words.widen_to<T>(v);
  simt::Vector<uint32_t> codes;
  codes_of(v, codes.at);
  return codes;
}

}  // namespace assay_kernels
