// Dynamic per-tensor quantization: one scale for the whole matrix. Three launches of one stream: the scale is cleared, every
// block raises it to what its own elements need, and then all elements are quantized by it.
#pragma once

#include "kernels/ops/quant_static/given.h"
#include "kernels/simt/block_reduce.h"

namespace assay_kernels {

template <class Rules>
SIMT_KERNEL void clear_scale(float* scale) {
  if (simt::block() == 0 && simt::thread() == 0) Rules::clear(scale);
}

/// The scale rises with amax, so the greatest scale is that of the greatest amax.
template <class Rules, class T, int kWarp>
SIMT_KERNEL void tensor_scale(const T* x, float* scale, int64_t n) {
  constexpr int kElements = simt::Vector<T>::kElements;
  const int64_t begin = simt::block() * kGivenChunk<T>;
  simt::Vector<T> v[kGivenLoads];
  SIMT_UNROLL
  for (int k = 0; k < kGivenLoads; ++k) v[k] = load_within(x, begin + int64_t{k * kGivenThreads + simt::thread()} * kElements, n);
  float widest = 0.0f;
  SIMT_UNROLL
  for (int k = 0; k < kGivenLoads; ++k) {
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) widest = Rules::widest(widest, simt::magnitude(simt::to_float(v[k].at[i])));
  }
  widest = simt::block_reduce<kWarp>(
      widest, 0.0f, [](float a, float b) { return Rules::widest(a, b); }, [] { simt::barrier(); });
  if (simt::thread() == 0) simt::atomic_max(scale, simt::magnitude(Rules::scale(widest)));
}

template <class Rules>
void run_tensor(const Call& call) {
  const assay_tensor &x = call.input("x"), &scale = call.output("scale");
  const Shape shape = matrices_of_one_scale<Rules>(call, scale);
  const int64_t n = shape.rows * shape.columns;
  auto* s = static_cast<float*>(scale.data);
  with_type(x, [&](auto type) {
    using T = decltype(type);
    with_warp(call, [&](auto warp) {
      const simt::Launch grid = call.grid((n + kGivenChunk<T> - 1) / kGivenChunk<T>, kGivenThreads);
      simt::launch(clear_scale<Rules>, call.grid(1, call.warp()), s);
      if (n == 0) return;
      simt::launch(tensor_scale<Rules, T, decltype(warp)::value>, grid, data_of<T>(x), s, n);
      simt::launch(quant_given<Rules, T>, grid, data_of<T>(x), static_cast<uint8_t*>(call.output("q").data),
                   static_cast<const float*>(s), n);
    });
  });
}

}  // namespace assay_kernels
