// silu(gate) * up and its group quantization in registers: sixteen elements of each half in a thread, a group in 2, 4 or 8
// neighbouring threads.
#pragma once

#include "kernels/ops/quant_group/arguments.h"
#include "kernels/ops/silu_mul_quant_group/activations.h"

namespace assay_kernels {

inline constexpr int kGatedThreads = 128, kGatedElements = 16;  ///< of a block; of a thread

template <class T>
struct GatedArguments {
  const T* x;  ///< rows of 2n: gate, then up
  uint8_t* q;
  ScalesOut scales;
  int32_t n;
  float scale_ub;
};

template <class Rules, class T, int kWarp, int kLanes>
SIMT_KERNEL void silu_mul_quant_group(GatedArguments<T> a) {
  const uint32_t groups = uint32_t(a.scales.rows * a.scales.groups), per_row = a.scales.by_groups.divisor;
  const uint32_t piece = uint32_t(simt::block()) * kGatedThreads + uint32_t(simt::thread()), group = piece / kLanes;
  const uint32_t row = a.scales.by_groups.quotient(group);
  const bool live = group < groups;
  LaneWords<2> gate{}, up{};
  if (live) {
    const int64_t at = int64_t{row} * a.n + int64_t{piece} * kGatedElements;  // the rows before it have n more elements than codes
    gate.load(a.x + at + (Rules::kGateFirst ? 0 : a.n));
    up.load(a.x + at + (Rules::kGateFirst ? a.n : 0));
  }
  float v[kGatedElements];
  silu_times_up<typename Rules::Activation, T>(gate, up, v);
  quantize_elements<typename Rules::Group, kWarp, kLanes>(v, live, a.q + int64_t{piece} * kGatedElements, a.scales, row,
                                                          int32_t(group - row * per_row), a.scale_ub);
  write_absent_groups<typename Rules::Group>(a.scales);  // and no absent rows: these ops leave them as they were
}

}  // namespace assay_kernels
