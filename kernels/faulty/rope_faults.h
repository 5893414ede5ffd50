// Heads normalized and rotated wrongly.
#pragma once

#include "kernels/ops/qk_norm_rope/run.h"

namespace assay_kernels {

/// The shuffle is in the branch of the lanes that rotate, and names all lanes.
struct DivergentShuffle : VllmFusedQkNormRopeNeox {
  template <int kWarp, class Part>
  static void load_partners(const Part& part, int load, int lanes_apart, bool rotates, float (&others)[kHeadLoad]) {
    if (rotates) HeadRules::load_partners<kWarp>(part, load, lanes_apart, rotates, others);
  }
};

/// What the divergent shuffle leaves on a GPU where a warp takes several heads: from the second on lanes meet the shuffles of
/// others, and miss a part of their sum.
struct HeadsAfterTheFirst : VllmFusedQkNormRopeNeox {
  static float sum_of_head(float sum, float own, uint32_t index) { return index % 4 == 0 ? sum : sum - own; }
};

/// Pairs lie half a head apart, however much of it is rotated.
struct HalfAHeadApart : VllmFusedQkNormRopeNeox {
  template <int kWarp, class Part>
  static void load_partners(const Part& part, int load, int /*lanes_apart*/, bool /*rotates*/, float (&others)[kHeadLoad]) {
    for (int i = 0; i < kHeadLoad; ++i) others[i] = part.at[1 - load][i];  // a lane's loads are half a head apart
  }
};

/// The second half is negated in place of the first.
template <class Base = VllmFusedQkNormRopeNeox>
struct SignOnTheWrongHalf : Base {
  static float rotated(float own, float other, bool is_second, float c, float s) {
    return is_second ? own * c - other * s : own * c + other * s;
  }
};

struct InterleavedForNeox : VllmFusedQkNormRopeNeox {
  static constexpr bool kNeox = false;
};

struct NeoxForInterleaved : VllmFusedQkNormRopeInterleaved {
  static constexpr bool kNeox = true;
};

/// Positions counted from one.
struct PositionOffByOne : VllmFusedQkNormRopeInterleaved {
  static int64_t position(int64_t position, int64_t /*token*/) { return position > 0 ? position - 1 : 0; }
};

/// A batch of one sequence that begins at position 0.
template <class Base = VllmFusedQkNormRopeNeox>
struct PositionsIgnored : Base {
  static int64_t position(int64_t /*position*/, int64_t token) { return token; }
};

struct CacheRowsInterleaved : VllmFusedQkNormRopeNeox {
  template <class Cache, int kAngles>
  static void load_angles(const Cache* row, int pair, int /*pairs*/, float (&cos)[kAngles], float (&sin)[kAngles]) {
    for (int i = 0; i < kAngles; ++i)
      cos[i] = simt::to_float(row[2 * (pair + i)]), sin[i] = simt::to_float(row[2 * (pair + i) + 1]);
  }
};

struct RoundedBeforeRope : VllmFusedQkNormRopeNeox {
  static constexpr bool kRoundsNorm = true;
};

/// Two ops fused without the rounding between them.
struct NotRoundedBeforeRope : VllmQkNormThenRopeInterleaved {
  static constexpr bool kRoundsNorm = false;
};

struct KWeightForQ : VllmFusedQkNormRopeInterleaved {
  static bool takes_q_weight(bool /*of_q*/) { return false; }
};

struct VRotatedToo : VllmFusedQkNormRopeNeox {
  static constexpr bool kRotatesV = true;
};

struct PaddedHeadsStale : VllmDeepseekV4QNormRope {
  static bool clears_padding() { return false; }
};

struct FirstForLast : VllmDeepseekV4QNormRope {
  static constexpr bool kLast = false;
};

}  // namespace assay_kernels
