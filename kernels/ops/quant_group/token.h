// Dynamic per-token quantization: one block a row, the row held in registers.
#pragma once

#include "kernels/ops/quant_group/arguments.h"
#include "kernels/simt/block_reduce.h"

namespace assay_kernels {

template <class Rules, class T, int kWarp, int kLoads>
SIMT_KERNEL void quant_token(GroupArguments<T> a) {
  constexpr int kElements = simt::Vector<T>::kElements;
  const auto first = static_cast<typename Rules::Offset>(simt::block() * a.group_size);
  const int loads = a.group_size / kElements;
  simt::Vector<T> x[kLoads];
  float widest = 0.0f;
  SIMT_UNROLL
  for (int k = 0; k < kLoads; ++k) {
    const int load = k * simt::block_size() + simt::thread();
    x[k] = load < loads ? simt::load16(a.x + first + load * kElements) : simt::Vector<T>{};
  }
  SIMT_UNROLL
  for (int k = 0; k < kLoads; ++k) {
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) widest = Rules::widest(widest, simt::magnitude(simt::to_float(x[k].at[i])));
  }
  widest = simt::block_reduce<kWarp>(
      widest, 0.0f, [](float u, float v) { return Rules::widest(u, v); }, [] { simt::barrier(); });

  const float amax = Rules::amax(widest);
  float scale;
  if constexpr (Rules::kBounded) {
    scale = Rules::scale_within(amax, a.scale_ub);
  } else {
    scale = Rules::scale(amax);
  }
  const typename Rules::Element element(Rules::operand(amax, scale));
  if (simt::thread() == 0) store_scale<Rules>(a.scales, simt::block(), 0, scale);
  SIMT_UNROLL
  for (int k = 0; k < kLoads; ++k) {
    const int load = k * simt::block_size() + simt::thread();
    if (load >= loads) continue;
    SIMT_UNROLL
    for (int i = 0; i < kElements; i += 4) {
      float u[4];
      SIMT_UNROLL
      for (int j = 0; j < 4; ++j) u[j] = Rules::clamp(element(simt::to_float(x[k].at[i + j])));
      simt::store4(a.q + first + load * kElements + i, Rules::Code::encode4(u));
    }
  }
}

}  // namespace assay_kernels
