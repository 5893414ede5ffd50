// The numbers of one lane, and their rotation.
#pragma once

#include "kernels/ops/qk_norm_rope/rules.h"
#include "kernels/ops/tree_sum.h"

namespace assay_kernels {

inline constexpr int kHeadLoads = 2;  ///< of a lane

/// Loads of sixteen bytes, half a head apart, so that neighbouring lanes have neighbouring loads. As words of two numbers: 16-bit
/// numbers would each take a register while the loads are in flight.
template <int kLanes>
struct HeadWords {
  simt::Vector<uint32_t> at[kHeadLoads];

  template <class T>
  SIMT_DEVICE void load(const T* head, int lane) {
    SIMT_UNROLL
    for (int k = 0; k < kHeadLoads; ++k)
      at[k] = simt::load16(reinterpret_cast<const uint32_t*>(head + (k * kLanes + lane) * kHeadLoad));
  }
};

/// The numbers of such loads of T.
template <class T, int kLanes>
struct HeadPart {
  static constexpr int kNumbers = kHeadLoads * kHeadLoad;
  float at[kHeadLoads][kHeadLoad];

  SIMT_DEVICE explicit HeadPart(const HeadWords<kLanes>& words) {
    SIMT_UNROLL
    for (int k = 0; k < kHeadLoads; ++k) widen<T>(words.at[k], at[k]);
  }

  SIMT_DEVICE void store(T* head, int lane) const {
    SIMT_UNROLL
    for (int k = 0; k < kHeadLoads; ++k) {
      simt::Vector<uint32_t> words;
      SIMT_UNROLL
      for (int i = 0; i < kHeadLoad / 2; ++i) words.at[i] = simt::pair_from_floats<T>(at[k][2 * i], at[k][2 * i + 1]);
      simt::store16(reinterpret_cast<uint32_t*>(head + (k * kLanes + lane) * kHeadLoad), words);
    }
  }

  /// log2(kNumbers) additions deep.
  SIMT_DEVICE float squares() const {
    return tree_sum<0, kNumbers>([&](int i) { return number(i) * number(i); });
  }

  template <class Rules>
  SIMT_DEVICE void normalize(float r, const HeadPart& weight) {
    SIMT_UNROLL
    for (int i = 0; i < kNumbers; ++i) {
      float& x = at[i / kHeadLoad][i % kHeadLoad];
      if (Rules::kRoundsUnweighted)
        x = simt::to_float(simt::from_float<T>(x * r)) * weight.number(i);
      else
        x = Rules::normalized(x, r, weight.number(i));
      if (Rules::kRoundsNorm) x = simt::to_float(simt::from_float<T>(x));
    }
  }

 private:
  SIMT_DEVICE float number(int i) const { return at[i / kHeadLoad][i % kHeadLoad]; }
};

template <class Rules>
SIMT_DEVICE void rotate_pair(float& first, float& second, float cos, float sin) {
  const float a = first, b = second;
  first = Rules::rotated(a, b, false, cos, sin);
  second = Rules::rotated(b, a, true, cos, sin);
}

/// Angles of one load, where the rotated numbers are a part of the head, or pairs are neighbours.
template <class Rules>
struct LoadAngles {
  static constexpr int kAngles = Rules::kNeox ? kHeadLoad : kHeadLoad / 2;
  float cos[kAngles], sin[kAngles];
  bool rotates;    ///< else the load stands before the rotated numbers of the head, or behind them
  bool is_second;  ///< of the halves of the rotated numbers

  /// `at`: where the load begins, from the first rotated number on. `row`: of the cache.
  template <class Cache>
  SIMT_DEVICE void load(const Cache* row, int at, int rotary) {
    const int pairs = rotary / 2;
    rotates = at >= 0 && at < rotary;
    is_second = at >= pairs;
    const int pair = !Rules::kNeox ? at / 2 : is_second ? at - pairs : at;
    if (rotates) Rules::load_angles(row, pair, pairs, cos, sin);
  }

  /// `others`: for Neox, the partners.
  SIMT_DEVICE void rotate(float (&v)[kHeadLoad], const float (&others)[kHeadLoad]) const {
    SIMT_UNROLL
    for (int i = 0; i < kAngles; ++i) {
      if constexpr (Rules::kNeox) {
        v[i] = Rules::rotated(v[i], others[i], is_second, cos[i], sin[i]);
      } else {
        rotate_pair<Rules>(v[2 * i], v[2 * i + 1], cos[i], sin[i]);
      }
    }
  }
};

}  // namespace assay_kernels
