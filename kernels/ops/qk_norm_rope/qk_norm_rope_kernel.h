// qk_norm_rope: RMS norm and rotary embedding of each head of Q and K, by the rules of each contract.
#pragma once

#include <string>
#include <vector>

#include "kernels/ops/call.h"
#include "kernels/ops/kernel_common.h"
#include "kernels/ops/quant_group/quant_group_rules.h"

namespace assay_kernels {

// Rules of contracts that normalize and rotate heads.

inline constexpr int kHeadLoad = 8;  ///< 16-bit elements per load

/// Loads kCount consecutive elements as fp32. `from` is aligned to kCount elements.
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
  static constexpr bool kNeox = true;   ///< true: the elements of a pair are rotary / 2 apart (NeoX); false: they are adjacent
  static constexpr bool kLast = false;  ///< true: the last `rotary` elements of a head are rotated; false: the first ones
  static constexpr bool kWeighted = true;
  static constexpr bool kRoundsNorm = false;        ///< rounds the normalized element to the type of x before the rotation
  static constexpr bool kRoundsUnweighted = false;  ///< rounds x * r to the type of x before the multiplication by the weight
  static constexpr bool kRotatesV = false;
  /// Returns `sum`, the sum of squares over a head. Only deliberately wrong kernels use `own` (this lane's part) and `index` (of the head).
  SIMT_DEVICE static float sum_of_head(float sum, float /*own*/, uint32_t /*index*/) { return sum; }
  SIMT_DEVICE static float factor(float sum, float share, float eps) { return simt::rsqrt(sum * share + eps); }
  SIMT_DEVICE static float normalized(float x, float r, float weight) { return x * (r * weight); }
  /// The row of the cosine/sine cache for a token's position.
  SIMT_DEVICE static int64_t position(int64_t position, int64_t /*token*/) { return position; }
  /// Loads the cosines and sines of kAngles pairs, from pair `pair` on. `row` holds `pairs` cosines, then as many sines.
  template <class Cache, int kAngles>
  SIMT_DEVICE static void load_angles(const Cache* row, int pair, int pairs, float (&cos)[kAngles], float (&sin)[kAngles]) {
    load_run(row + pair, cos);
    load_run(row + pairs + pair, sin);
  }
  /// Rotates `own`, an element of a pair whose other element is `other`. The sign before `other` is + for the second element of the pair.
  SIMT_DEVICE static float rotated(float own, float other, bool is_second, float c, float s) {
    return is_second ? own * c + other * s : own * c - other * s;
  }
  /// NeoX: fills `others` with the other elements of a load's pairs, from the lane `lanes_apart` away. All lanes must call it.
  template <int kWarp, class Part>
  SIMT_DEVICE static void load_partners(const Part& part, int load, int lanes_apart, bool /*rotates*/,
                                        float (&others)[kHeadLoad]) {
    SIMT_UNROLL
    for (int i = 0; i < kHeadLoad; ++i) others[i] = simt::shuffle_xor<kWarp>(part.at[load][i], lanes_apart);
  }
  SIMT_DEVICE static bool takes_q_weight(bool of_q) { return of_q; }
  /// True if heads of the output beyond those of the input are filled with zeros.
  SIMT_DEVICE static bool clears_padding() { return true; }
};

/// Norm and rotation are computed in fp32; only the stored result is rounded.
/// Source: vLLM csrc/libtorch_stable/fused_qknorm_rope_kernel.cu (02964ee1).
struct VllmFusedQkNormRopeNeox : HeadRules {
  static constexpr const char* kContract = "vllm.fused_qk_norm_rope_neox";
};

struct VllmFusedQkNormRopeInterleaved : HeadRules {
  static constexpr const char* kContract = "vllm.fused_qk_norm_rope_interleaved";
  static constexpr bool kNeox = false;
};

/// Two unfused ops: first the norm, which rounds its output once (vLLM csrc/libtorch_stable/layernorm_kernels.cu, 0b9c5412), then
/// RoPE (pos_encoding_kernels.cu, 1051220e).
struct VllmQkNormThenRopeNeox : HeadRules {
  static constexpr const char* kContract = "vllm.qk_norm_then_rope_neox";
  static constexpr bool kRoundsNorm = true;
  SIMT_DEVICE static float normalized(float x, float r, float weight) { return x * r * weight; }
};

struct VllmQkNormThenRopeInterleaved : VllmQkNormThenRopeNeox {
  static constexpr const char* kContract = "vllm.qk_norm_then_rope_interleaved";
  static constexpr bool kNeox = false;
};

/// Also rounds before multiplying by gamma. Source: csrc/libtorch_stable/layernorm_kernels.cu, v0.23.0 and releases before v0.20.0.
struct VllmQkNormThenRopeNeoxV0191 : VllmQkNormThenRopeNeox {
  static constexpr const char* kContract = "vllm.qk_norm_then_rope_neox@v0.19.1";
  static constexpr bool kRoundsUnweighted = true;
};

struct VllmQkNormThenRopeInterleavedV0191 : VllmQkNormThenRopeNeoxV0191 {
  static constexpr const char* kContract = "vllm.qk_norm_then_rope_interleaved@v0.19.1";
  static constexpr bool kNeox = false;
};

/// Normalizes and rotates the heads of Q.
/// Source: vLLM csrc/libtorch_stable/fused_deepseek_v4_qnorm_rope_kv_insert_kernel.cu (00ce99f0).
struct VllmDeepseekV4QNormRope : HeadRules {
  static constexpr const char* kContract = "vllm.deepseek_v4_q_norm_rope";
  static constexpr bool kNeox = false, kLast = true, kWeighted = false;
  SIMT_DEVICE static float normalized(float x, float r, float /*weight*/) { return x * r; }
};

/// A list of rules, selected by the contract's id.
template <class... Rules>
struct HeadList {
  template <class F>
  static bool with(const std::string& contract, F f) {
    return ((contract == Rules::kContract && (f(Rules{}), true)) || ...);
  }
  static std::vector<std::string> ids() { return {Rules::kContract...}; }
};

// The elements of one lane, and their rotation.

inline constexpr int kHeadLoads = 2;  ///< loads per lane

/// A lane's part of a head: two loads of 16 bytes, half a head apart, so that adjacent lanes load adjacent bytes. Loads are kept as
/// 32-bit words, because each 16-bit element would occupy a register of its own while the loads are in flight.
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

/// A lane's part of a head (see HeadWords), converted to fp32.
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

  /// The sum of the squares of a lane's elements, as a pairwise tree that is log2(kNumbers) additions deep.
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

/// Cosines and sines for one load. Used if only a part of the head is rotated, or if the elements of a pair are adjacent.
template <class Rules>
struct LoadAngles {
  static constexpr int kAngles = Rules::kNeox ? kHeadLoad : kHeadLoad / 2;
  float cos[kAngles], sin[kAngles];
  bool rotates;    ///< false if the load is outside the rotated part of the head
  bool is_second;  ///< true if the load is in the second half of the rotated part

  /// `at`: index of the load's first element, counted from the first rotated element. `row`: row of the cosine/sine cache.
  template <class Cache>
  SIMT_DEVICE void load(const Cache* row, int at, int rotary) {
    const int pairs = rotary / 2;
    rotates = at >= 0 && at < rotary;
    is_second = at >= pairs;
    const int pair = !Rules::kNeox ? at / 2 : is_second ? at - pairs : at;
    if (rotates) Rules::load_angles(row, pair, pairs, cos, sin);
  }

  /// Rotates the elements v of a load. `others`: for NeoX, the other elements of their pairs, from load_partners().
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

// Normalizes and rotates heads. A head of n 16-bit elements has n / 16 adjacent lanes, with two loads each, half a head apart.
// Thus one lane has both elements of a pair if NeoX rotates the whole head. A warp handles as many heads as fit. Lanes without a
// head must take part in its shuffles.

template <class T, class Cache>
struct HeadArguments {
  const T* in;
  T* out;  ///< the input tensor itself, or a tensor with at least as many heads
  const T *q_weight, *k_weight;
  const Cache* cache;  ///< one row per position: cosines, then sines
  const int64_t* positions;
  uint32_t count;               ///< number of heads that are written, over all tokens
  Divider by_heads;             ///< divides by the number of heads that are written per token
  uint32_t q_heads, live;       ///< per token: number of heads of Q; number of heads that are read (others are filled with zeros)
  int64_t in_pitch, out_pitch;  ///< distance between tokens in elements
  int32_t rotary;
  float eps;
};

/// Normalizes and rotates head `index` of all written heads. kWhole: NeoX rotates the whole head. All lanes of a warp must call it.
template <class Rules, class T, class Cache, int kWarp, int kLanes, bool kWhole>
SIMT_DEVICE void norm_rope_head(const HeadArguments<T, Cache>& a, uint32_t index) {
  using Part = HeadPart<T, kLanes>;
  constexpr int kNumbers = kLanes * kHeadLoads * kHeadLoad;  // elements per head
  const bool writes = index < a.count;
  const uint32_t token = writes ? a.by_heads.quotient(index) : 0, head = writes ? index - token * a.by_heads.divisor : 0;
  const bool live = writes && head < a.live;
  const int lane = simt::thread() % kLanes;
  const Cache* const row = a.cache + Rules::position(a.positions[token], token) * a.rotary;
  HeadWords<kLanes> words{}, weights{};
  if (live) words.load(a.in + token * a.in_pitch + int64_t{head} * kNumbers, lane);
  if (Rules::kWeighted) weights.load(Rules::takes_q_weight(head < a.q_heads) ? a.q_weight : a.k_weight, lane);
  // loaded before the reduction, so that the loads overlap with it
  LoadAngles<Rules> angles[kWhole ? 1 : kHeadLoads];
  if constexpr (kWhole) {
    Rules::load_angles(row, lane * kHeadLoad, kNumbers / 2, angles[0].cos, angles[0].sin);
  } else {
    SIMT_UNROLL
    for (int k = 0; k < kHeadLoads; ++k)
      angles[k].load(row, (k * kLanes + lane) * kHeadLoad - (Rules::kLast ? kNumbers - a.rotary : 0), a.rotary);
  }

  Part part(words);
  const float own = part.squares(), sum = simt::lane_reduce<kWarp, kLanes>(own, [](float x, float y) { return x + y; });
  part.template normalize<Rules>(Rules::factor(Rules::sum_of_head(sum, own, index), 1.0f / kNumbers, a.eps), Part(weights));
  if constexpr (kWhole) {
    SIMT_UNROLL
    for (int i = 0; i < kHeadLoad; ++i) rotate_pair<Rules>(part.at[0][i], part.at[1][i], angles[0].cos[i], angles[0].sin[i]);
  } else {
    SIMT_UNROLL
    for (int k = 0; k < kHeadLoads; ++k) {
      float others[kHeadLoad];
      if (Rules::kNeox) Rules::template load_partners<kWarp>(part, k, a.rotary / 2 / kHeadLoad, angles[k].rotates, others);
      if (angles[k].rotates) angles[k].rotate(part.at[k], others);
    }
  }
  T* const out = a.out + token * a.out_pitch + int64_t{head} * kNumbers;
  if (live) {
    part.store(out, lane);
  } else if (writes && Rules::clears_padding()) {
    Part({}).store(out, lane);  // heads beyond those of q are filled with zeros
  }
}

template <class Rules, class T, class Cache, int kWarp, int kLanes, bool kWhole>
SIMT_KERNEL void norm_rope_heads(HeadArguments<T, Cache> a) {
  const auto index = uint32_t(simt::block()) * uint32_t(simt::block_size() / kLanes) + uint32_t(simt::thread() / kLanes);
  norm_rope_head<Rules, T, Cache, kWarp, kLanes, kWhole>(a, index);
}

// Host side: checks a call, and launches the kernel for the head size of the call.

inline constexpr int kHeadThreads = 128;

/// The checked arguments of the ops that normalize and rotate heads.
struct HeadCall {
  HeadCall(const Call& call, const assay_tensor& heads_in, const assay_tensor& heads_out, int64_t q_heads, int64_t read,
           int64_t in_row, int64_t out_row);

  const assay_tensor &in, &out, &cache, &positions;
  int64_t tokens, n, rotary, q_heads, live, in_heads, out_heads;
  float eps;
};

/// Calls f(lanes per head) for heads of n 16-bit elements.
template <class F>
void with_head(int64_t n, F f) {
  using std::integral_constant;
  if (n == 64) return f(integral_constant<int, 4>{});
  if (n == 128) return f(integral_constant<int, 8>{});
  if (n == 256) return f(integral_constant<int, 16>{});
  if (n == 512) return f(integral_constant<int, 32>{});
  unsupported("this kernel supports only heads of 64, 128, 256 or 512 elements");
}

/// `written`: heads of a token that are written. `q_weight`, `k_weight`: nullptr if the contract has no weights.
template <class T, class Cache>
HeadArguments<T, Cache> arguments_of(const HeadCall& heads, const assay_tensor* q_weight, const assay_tensor* k_weight,
                                     int64_t written) {
  if (heads.tokens * written > 0x7fffffff) unsupported("the tokens must have at most 2^31 - 1 heads in all");
  return {data_of<T>(heads.in),
          static_cast<T*>(heads.out.data),
          q_weight ? data_of<T>(*q_weight) : nullptr,
          k_weight ? data_of<T>(*k_weight) : nullptr,
          data_of<Cache>(heads.cache),
          data_of<int64_t>(heads.positions),
          uint32_t(heads.tokens * written),
          Divider::by(uint32_t(written)),
          uint32_t(heads.q_heads),
          uint32_t(heads.live),
          heads.in_heads * heads.n,
          heads.out_heads * heads.n,
          int32_t(heads.rotary),
          heads.eps};
}

template <class Rules, class T, class Cache>
void run_heads(const Call& call, const HeadCall& heads, const assay_tensor* q_weight, const assay_tensor* k_weight,
               int64_t written) {
  const HeadArguments<T, Cache> a = arguments_of<T, Cache>(heads, q_weight, k_weight, written);
  with_warp(call, [&](auto warp) {
    constexpr int kWarp = decltype(warp)::value;
    with_head(heads.n, [&](auto lanes) {
      constexpr int kLanes = decltype(lanes)::value;
      const int64_t half = heads.rotary / 2;
      if (Rules::kNeox && (half % kHeadLoad != 0 || (half & (half - 1)) != 0))
        unsupported("rotary, the columns of cos_sin_cache, must be 16 times a power of two");
      if (!Rules::kNeox && heads.rotary % kHeadLoad != 0)
        unsupported("rotary, the columns of cos_sin_cache, must be a multiple of 8");
      constexpr int64_t kPerBlock = kHeadThreads / kLanes;
      const simt::Launch grid = call.grid((int64_t{a.count} + kPerBlock - 1) / kPerBlock, kHeadThreads);
      if (Rules::kNeox && heads.rotary == heads.n)
        simt::launch(norm_rope_heads<Rules, T, Cache, kWarp, kLanes, Rules::kNeox>, grid, a);
      else
        simt::launch(norm_rope_heads<Rules, T, Cache, kWarp, kLanes, false>, grid, a);
    });
  });
}

/// Calls the run_heads() above for the types of the call.
template <class Rules>
void run_heads(const Call& call, const HeadCall& heads, const assay_tensor* q_weight, const assay_tensor* k_weight,
               int64_t written) {
  if (heads.tokens == 0) return;
  with_half_type(heads.in, [&](auto type) {
    using T = decltype(type);
    if (has_type(heads.cache, ASSAY_FLOAT, 32)) return run_heads<Rules, T, float>(call, heads, q_weight, k_weight, written);
    if (has_type(heads.cache, heads.in.type_code, heads.in.type_bits))
      return run_heads<Rules, T, T>(call, heads, q_weight, k_weight, written);
    unsupported("cos_sin_cache must be fp32 or have the type of the heads");
  });
}

/// Case parameters that the kernels accept, as describe() of the C ABI lists them.
inline Accepts head_accepts() {
  return {{"x", kHalf}, {"n", {64, 128, 256, 512}}, {"rotary", {16, 32, 64, 128, 256, 512}}, {"warp", simt::kWarpSizes}};
}

/// Normalizes and rotates the heads of Q and K in place. Heads of V change only if Rules::kRotatesV.
template <class Rules>
void run_qk_norm_rope(const Call& call) {
  const assay_tensor &qkv = call.output("qkv"), &q_weight = call.input("q_weight"), &k_weight = call.input("k_weight");
  const auto q = int64_t(call.number("q_heads")), k = int64_t(call.number("k_heads")), v = int64_t(call.number("v_heads"));
  const int64_t rotated = Rules::kRotatesV ? q + k + v : q + k;
  const HeadCall heads(call, qkv, qkv, q, rotated, q + k + v, q + k + v);
  for (const assay_tensor* weight : {&q_weight, &k_weight}) {
    expect_vector(*weight, heads.n, qkv);
    expect_aligned(*weight);
  }
  run_heads<Rules>(call, heads, &q_weight, &k_weight, rotated);
}

/// The arguments of q_norm_rope: heads of Q, and an output tensor that may have more heads.
inline HeadCall heads_of_q(const Call& call) {
  const assay_tensor &q = call.input("q"), &out = call.output("q_out");
  const auto count = int64_t(call.number("q_heads"));
  if (count < 1 || q.ndim != 2 || q.shape[1] % count != 0)
    failed("the number of columns of q must be a multiple of q_heads");
  if (out.ndim != 2 || out.shape[1] % (q.shape[1] / count) != 0)
    failed("the number of columns of q_out must be a multiple of the head size");
  return HeadCall(call, q, out, count, count, count, out.shape[1] / (q.shape[1] / count));
}

template <class Rules>
void run_q_norm_rope(const Call& call) {
  const HeadCall heads = heads_of_q(call);
  run_heads<Rules>(call, heads, nullptr, nullptr, heads.out_heads);
}

}  // namespace assay_kernels
