// q = cast(x), element by element.
#pragma once

#include "kernels/ops/cast/rules.h"
#include "kernels/ops/dispatch.h"
#include "kernels/simt/wide.h"

namespace assay_kernels {

inline constexpr int kCastThreads = 64;
inline constexpr int kCastStores = 16;  ///< of simt::kWideBytes codes, by each thread

/// With the sign of NaN. NVIDIA's conversion of fp16 makes 7fffffff of every NaN: on an H200 a cast that keeps the sign fails for
/// the 1023 inputs fc01 .. ffff if it begins with that.
template <class T>
SIMT_DEVICE float widened(T v) {
  return simt::to_float(v);
}
SIMT_DEVICE float widened(simt::F16 v) {
  const uint32_t rest = v.bits & 0x7fffu;
  return rest > 0x7c00u ? simt::from_bits((uint32_t{v.bits} & 0x8000u) << 16 | 0x7f800000u | (rest & 0x3ffu) << 13)
                        : simt::to_float(v);
}

/// A warp's stores follow each other, so that each of them fills whole lines.
template <class Rules, class T, int kWarp>
SIMT_WIDE_KERNEL void cast(const T* x, uint8_t* q, int64_t n) {
  constexpr int kCodes = simt::kWideBytes;
  const int64_t warp = (simt::block() * simt::block_size() + simt::thread()) / kWarp;
  int64_t first = (warp * kCastStores * kWarp + simt::thread() % kWarp) * kCodes;
  for (int store = 0; store < kCastStores; ++store, first += kWarp * kCodes) {
    if (first + kCodes <= n) {
      T elements[kCodes];
      uint8_t codes[kCodes];
      simt::load_wide(x + first, elements);
      SIMT_LANES
      for (int i = 0; i < kCodes; ++i) codes[i] = Rules::encode(widened(elements[i]));
      simt::store_wide(q + first, codes);
    } else {
      for (int64_t i = first; i < n; ++i) q[i] = Rules::encode(widened(x[i]));
    }
  }
}

template <class Rules>
void run_cast(const Call& call) {
  const assay_tensor &x = call.input("x"), &q = call.output("q");
  const Shape shape = dense_matrix(x), out = dense_matrix(q);
  if (out.rows != shape.rows || out.columns != shape.columns) failed("q must have the shape of x");
  if (!has_type(q, Rules::kType, 8)) unsupported(std::string("q has not the type of contract ") + Rules::kContract);
  expect_aligned(x);
  expect_aligned(q);
  const int64_t n = shape.rows * shape.columns, each = int64_t{kCastThreads} * kCastStores * simt::kWideBytes;
  if (n == 0) return;
  with_type(x, [&](auto type) {
    using T = decltype(type);
    with_warp(call, [&](auto warp) {
      simt::launch(cast<Rules, T, decltype(warp)::value>, call.grid((n + each - 1) / each, kCastThreads), data_of<T>(x),
                   static_cast<uint8_t*>(q.data), n);
    });
  });
}

}  // namespace assay_kernels
