// From a call to the kernel of its heads.
#pragma once

#include "kernels/ops/catalogue.h"
#include "kernels/ops/dispatch.h"
#include "kernels/ops/qk_norm_rope/heads.h"

namespace assay_kernels {

inline constexpr int kHeadThreads = 128;

/// What both ops are called with, checked.
struct HeadCall {
  HeadCall(const Call& call, const assay_tensor& heads_in, const assay_tensor& heads_out, int64_t q_heads, int64_t read,
           int64_t in_row, int64_t out_row);

  const assay_tensor &in, &out, &cache, &positions;
  int64_t tokens, n, rotary, q_heads, live, in_heads, out_heads;
  float eps;
};

/// Calls f(lanes of a head) for heads of that many 16-bit numbers.
template <class F>
void with_head(int64_t n, F f) {
  using std::integral_constant;
  if (n == 64) return f(integral_constant<int, 4>{});
  if (n == 128) return f(integral_constant<int, 8>{});
  if (n == 256) return f(integral_constant<int, 16>{});
  if (n == 512) return f(integral_constant<int, 32>{});
  unsupported("heads of 64, 128, 256 or 512 numbers only");
}

/// `written`: heads of the tokens that are written. Weights are null where the contract has none.
template <class T, class Cache>
HeadArguments<T, Cache> arguments_of(const HeadCall& heads, const assay_tensor* q_weight, const assay_tensor* k_weight,
                                     int64_t written) {
  if (heads.tokens * written > 0x7fffffff) unsupported("more than 2^31 - 1 heads");
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
        unsupported("halves of the rotated numbers must be a power of two of lanes");
      if (!Rules::kNeox && heads.rotary % kHeadLoad != 0) unsupported("rotated numbers must be whole loads");
      constexpr int64_t kPerBlock = kHeadThreads / kLanes;
      const simt::Launch grid = call.grid((int64_t{a.count} + kPerBlock - 1) / kPerBlock, kHeadThreads);
      if (Rules::kNeox && heads.rotary == heads.n)
        simt::launch(norm_rope_heads<Rules, T, Cache, kWarp, kLanes, Rules::kNeox>, grid, a);
      else
        simt::launch(norm_rope_heads<Rules, T, Cache, kWarp, kLanes, false>, grid, a);
    });
  });
}

/// The same for the types of the call.
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

/// What the kernels accept, for describe().
inline Accepts head_accepts() {
  return {{"x", kHalf}, {"n", {64, 128, 256, 512}}, {"rotary", {16, 32, 64, 128, 256, 512}}, {"warp", simt::kWarpSizes}};
}

/// Heads of Q and K where they lie; those of V are not touched.
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

/// Heads of Q and a tensor that has room for more.
inline HeadCall heads_of_q(const Call& call) {
  const assay_tensor &q = call.input("q"), &out = call.output("q_out");
  const auto count = int64_t(call.number("q_heads"));
  if (count < 1 || q.ndim != 2 || q.shape[1] % count != 0) failed("the columns of q are no whole heads");
  if (out.ndim != 2 || out.shape[1] % (q.shape[1] / count) != 0) failed("the columns of q_out are no whole heads");
  return HeadCall(call, q, out, count, count, count, out.shape[1] / (q.shape[1] / count));
}

template <class Rules>
void run_q_norm_rope(const Call& call) {
  const HeadCall heads = heads_of_q(call);
  run_heads<Rules>(call, heads, nullptr, nullptr, heads.out_heads);
}

}  // namespace assay_kernels
