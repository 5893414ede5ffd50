// What a contract changes in a kernel that normalizes and rotates heads.
#pragma once

#include <string>
#include <vector>

#include "kernels/ops/row_loads.h"

namespace assay_kernels {

inline constexpr int kHeadLoad = 8;  ///< numbers of 16 bits in a load

/// kCount neighbouring numbers, which begin at a multiple of kCount.
template <class Cache, int kCount>
SIMT_DEVICE void load_run(const Cache* from, float (&to)[kCount]) {
  constexpr int kEach = simt::Vector<Cache>::kElements;
  if constexpr (kCount % kEach == 0) {
    SIMT_UNROLL
    for (int first = 0; first < kCount; first += kEach) {
      const auto loaded = simt::load16(from + first);
      SIMT_UNROLL
      for (int i = 0; i < kEach; ++i) to[first + i] = simt::to_float(loaded.at[i]);
    }
  } else {
    SIMT_UNROLL
    for (int i = 0; i < kCount; ++i) to[i] = simt::to_float(from[i]);
  }
}

struct HeadRules {
  static constexpr bool kNeox = true;   ///< pairs are half of the rotated numbers apart; else neighbours
  static constexpr bool kLast = false;  ///< the last numbers of a head are rotated; else the first
  static constexpr bool kWeighted = true;
  static constexpr bool kRoundsNorm = false;        ///< to the type of x, before the rotation
  static constexpr bool kRoundsUnweighted = false;  ///< and before the weight
  static constexpr bool kRotatesV = false;
  /// `share`: of one number in all, a power of two.
  /// The sum of a head; `own`: this lane's part of it. `index`: of the heads to write.
  SIMT_DEVICE static float sum_of_head(float sum, float /*own*/, uint32_t /*index*/) { return sum; }
  SIMT_DEVICE static float factor(float sum, float share, float eps) { return simt::rsqrt(sum * share + eps); }
  SIMT_DEVICE static float normalized(float x, float r, float weight) { return x * (r * weight); }
  /// Row of the cache.
  SIMT_DEVICE static int64_t position(int64_t position, int64_t /*token*/) { return position; }
  /// Cosines and sines of neighbouring pairs, from `pair` on, in the row of a position.
  template <class Cache, int kAngles>
  SIMT_DEVICE static void load_angles(const Cache* row, int pair, int pairs, float (&cos)[kAngles], float (&sin)[kAngles]) {
    load_run(row + pair, cos);
    load_run(row + pairs + pair, sin);
  }
  /// The number and the other of its pair, the second of which takes the sine as it is.
  SIMT_DEVICE static float rotated(float own, float other, bool is_second, float c, float s) {
    return is_second ? own * c + other * s : own * c - other * s;
  }
  /// For Neox, the other numbers of the pairs of a load, a run of lanes away. All lanes shuffle.
  template <int kWarp, class Part>
  SIMT_DEVICE static void load_partners(const Part& part, int load, int lanes_apart, bool /*rotates*/,
                                        float (&others)[kHeadLoad]) {
    SIMT_UNROLL
    for (int i = 0; i < kHeadLoad; ++i) others[i] = simt::shuffle_xor<kWarp>(part.at[load][i], lanes_apart);
  }
  SIMT_DEVICE static bool takes_q_weight(bool of_q) { return of_q; }
  /// What heads of the result beyond those of q hold.
  SIMT_DEVICE static bool clears_padding() { return true; }
};

/// vLLM csrc/libtorch_stable/fused_qknorm_rope_kernel.cu (02964ee1): fp32 from the load to the store.
struct VllmFusedQkNormRopeNeox : HeadRules {
  static constexpr const char* kContract = "vllm.fused_qk_norm_rope_neox";
};

struct VllmFusedQkNormRopeInterleaved : HeadRules {
  static constexpr const char* kContract = "vllm.fused_qk_norm_rope_interleaved";
  static constexpr bool kNeox = false;
};

/// Two ops in one: the norm as vLLM csrc/libtorch_stable/layernorm_kernels.cu (0b9c5412) rounds it, then RoPE as
/// pos_encoding_kernels.cu (1051220e) has it.
struct VllmQkNormThenRopeNeox : HeadRules {
  static constexpr const char* kContract = "vllm.qk_norm_then_rope_neox";
  static constexpr bool kRoundsNorm = true;
  SIMT_DEVICE static float normalized(float x, float r, float weight) { return x * r * weight; }
};

struct VllmQkNormThenRopeInterleaved : VllmQkNormThenRopeNeox {
  static constexpr const char* kContract = "vllm.qk_norm_then_rope_interleaved";
  static constexpr bool kNeox = false;
};

/// The norm as csrc/libtorch_stable/layernorm_kernels.cu of v0.23.0 rounds it, and of all releases before v0.20.0.
struct VllmQkNormThenRopeNeoxV0191 : VllmQkNormThenRopeNeox {
  static constexpr const char* kContract = "vllm.qk_norm_then_rope_neox@v0.19.1";
  static constexpr bool kRoundsUnweighted = true;
};

struct VllmQkNormThenRopeInterleavedV0191 : VllmQkNormThenRopeNeoxV0191 {
  static constexpr const char* kContract = "vllm.qk_norm_then_rope_interleaved@v0.19.1";
  static constexpr bool kNeox = false;
};

/// vLLM csrc/libtorch_stable/fused_deepseek_v4_qnorm_rope_kv_insert_kernel.cu (00ce99f0), the heads of Q.
struct VllmDeepseekV4QNormRope : HeadRules {
  static constexpr const char* kContract = "vllm.deepseek_v4_q_norm_rope";
  static constexpr bool kNeox = false, kLast = true, kWeighted = false;
  SIMT_DEVICE static float normalized(float x, float r, float /*weight*/) { return x * r; }
};

/// A list of rules, for dispatch by the contract's id.
template <class... Rules>
struct HeadList {
  template <class F>
  static bool with(const std::string& contract, F f) {
    return ((contract == Rules::kContract && (f(Rules{}), true)) || ...);
  }
  static std::vector<std::string> ids() { return {Rules::kContract...}; }
};

}  // namespace assay_kernels
