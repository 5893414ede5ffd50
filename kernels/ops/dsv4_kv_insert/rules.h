// What the cache of DeepSeek-V4 holds. Source: vLLM csrc/libtorch_stable/fused_deepseek_v4_qnorm_rope_kv_insert_kernel.cu
// 00ce99f0.
#pragma once

#include "kernels/ops/concat_and_cache_mla/cache.h"
#include "kernels/ops/quant_group/quotients.h"

namespace assay_kernels {

/// 448 codes in groups of 64, 64 rotated numbers of 16 bits; behind the tokens of a block eight bytes each, the last one zero.
struct VllmDsv4Kv : PagedRules {
  static constexpr const char* kContract = "vllm.deepseek_v4_kv_insert";
  using Code = E4m3fnSat;
  static constexpr float kMost = 448.0f, kLeastAmax = 1e-4f;
  static constexpr int kTokenBytes = 576, kScaleBytes = 8;
  static constexpr int kLanes = 4;  ///< that share a scale, with 16 numbers each
  static constexpr bool kPads = true;
  static constexpr bool kNorm = false;

  SIMT_DEVICE static int64_t codes_at(int64_t p) { return p * kTokenBytes; }
  SIMT_DEVICE static int64_t rotated_at(int64_t p) { return p * kTokenBytes + 448; }
  SIMT_DEVICE static int64_t scales_at(int64_t p, int64_t block_size) { return block_size * kTokenBytes + p * kScaleBytes; }
  SIMT_DEVICE static int64_t pad_at(int64_t p, int64_t block_size) { return scales_at(p, block_size) + 7; }

  /// Where the numbers of a token begin.
  SIMT_DEVICE static int64_t row(int64_t token, int64_t pitch) { return token * pitch; }
  SIMT_DEVICE static int64_t position(int64_t position, int64_t /*token*/) { return position; }
  SIMT_DEVICE static float even(float e, float o, float c, float s) { return e * c - o * s; }
  SIMT_DEVICE static float odd(float e, float o, float c, float s) { return e * s + o * c; }
  /// A pair as a word.
  template <class T>
  SIMT_DEVICE static uint32_t round(float even, float odd) {
    return simt::pair_from_floats<T>(even, odd);
  }
  SIMT_DEVICE static void store(uint32_t* to, const simt::Vector<uint32_t>& v) { simt::store16(to, v); }
  /// Exponent byte of the power of two that v, a normal number or Inf, does not exceed.
  SIMT_DEVICE static uint32_t exponent(float v) {
    const uint32_t b = simt::bits(v);
    return (b >> 23) + ((b & 0x7fffffu) != 0 ? 1u : 0u);
  }
  /// 1 / 2^(byte - 127); 0 for the byte of Inf.
  SIMT_DEVICE static float reciprocal(uint32_t byte) { return byte >= 254u ? 0.0f : simt::from_bits((254u - byte) << 23); }
};

struct VllmDsv4KvFnuz : VllmDsv4Kv {
  static constexpr const char* kContract = "vllm.deepseek_v4_kv_insert_fnuz";
  using Code = E4m3fnuzSat;
  static constexpr float kMost = 224.0f;
};

/// The same behind a norm. `share`: of one number in all, a power of two.
template <class Insert>
struct Normed : Insert {
  static constexpr bool kNorm = true;
  SIMT_DEVICE static float factor(float sum, float share, float eps) { return simt::rsqrt(sum * share + eps); }
  template <class T>
  SIMT_DEVICE static float normalized(float x, float r, float weight) {
    return x * r * weight;
  }
};

struct VllmDsv4KvNorm : Normed<VllmDsv4Kv> {
  static constexpr const char* kContract = "vllm.deepseek_v4_kv_norm_insert";
};

struct VllmDsv4KvNormFnuz : Normed<VllmDsv4KvFnuz> {
  static constexpr const char* kContract = "vllm.deepseek_v4_kv_norm_insert_fnuz";
};

template <class Rules>
struct ProductThenClamp {
  float factor;
  SIMT_DEVICE explicit ProductThenClamp(float m) : factor(m) {}
  SIMT_DEVICE float operator()(float v) const {
    return simt::min_number(simt::max_number(v * factor, -Rules::kMost), Rules::kMost);
  }
};

/// e4m3fn is bounded at 448 by its cast; then the clamp is for NaN.
template <class Rules>
using CodesOfCache =
    std::conditional_t<std::is_same_v<typename Rules::Code, E4m3fnSat> && Rules::kMost == 448.0f,
                       CodesByProduct<ProductThenClamp<Rules>>, CodesByStep<typename Rules::Code, ProductThenClamp<Rules>>>;

}  // namespace assay_kernels
