// The norms of DeepSeek-V4's caches gone wrong, and the launch that makes heads and records.
#pragma once

#include <cmath>

#include "kernels/faulty/dsv4_faults.h"
#include "kernels/faulty/rope_faults.h"
#include "kernels/ops/dsv4_qnorm_kv_insert/both.h"

namespace assay_kernels {

struct Dsv4VarianceIgnored : VllmDsv4KvNorm {
  static float factor(float /*sum*/, float /*share*/, float eps) { return simt::rsqrt(eps); }
};

struct Dsv4EpsOutside : VllmDsv4KvNorm {
  static float factor(float sum, float share, float eps) { return 1.0f / (std::sqrt(sum * share) + eps); }
};

/// N-A in place of N-B.
template <class Base = VllmDsv4KvNorm>
struct Dsv4RoundedBeforeWeight : Base {
  template <class T>
  static float normalized(float x, float r, float weight) {
    return simt::to_float(simt::from_float<T>(x * r)) * weight;
  }
};

/// The norm of Q, which has no weight, for KV.
struct Dsv4WeightLeftOut : VllmDsv4KvNorm {
  template <class T>
  static float normalized(float x, float r, float /*weight*/) {
    return x * r;
  }
};

/// Rows 512 numbers apart, whatever their stride.
struct Dsv4RowsDense : VllmDsv4KvNorm {
  static int64_t row(int64_t token, int64_t /*pitch*/) { return token * kHead; }
};

/// A token whose slot is -1 returns before its heads are made.
struct Dsv4NoHeadsWithoutSlot : VllmDsv4Both {
  static bool rotates(const PagedCache& cache, int64_t token) { return token < cache.tokens && cache.slots[token] >= 0; }
};

/// The grid has as many tokens as slot_mapping, which is shorter where a batch is padded.
struct Dsv4HeadsEndWithSlots : VllmDsv4Both {
  static bool rotates(const PagedCache& cache, int64_t token) { return token < cache.tokens; }
};

struct Dsv4HeadsRoundedBeforeRope : VllmDsv4Both {
  struct Heads : VllmDeepseekV4QNormRope {
    static constexpr bool kRoundsNorm = true;
  };
};

struct Dsv4HeadsStale : VllmDsv4Both {
  using Heads = PaddedHeadsStale;
};

/// Right for one sequence from its beginning.
struct Dsv4BothPositionsIgnored : VllmDsv4Both {
  using Heads = PositionsIgnored<VllmDeepseekV4QNormRope>;
  using Insert = Dsv4PositionsIgnored;
};

/// Two stores to the same numbers, of which the one that is not rotated comes last.
struct Dsv4BothKvUnrotated : VllmDsv4Both {
  using Insert = Dsv4Unrotated<>;
};

}  // namespace assay_kernels
