// silu(gate) * up and its group quantization in registers: eight elements of each half in a load, a group in 4, 8 or 16
// neighbouring threads.
#pragma once

#include "kernels/ops/quant_group/arguments.h"
#include "kernels/ops/silu_mul_quant_group/activations.h"

namespace assay_kernels {

inline constexpr int kGatedThreads = 128;
/// In flight for each thread, of each half. More cost more in occupancy: 57 us, 61 and 82 for 1, 2 and 4 on an H200.
inline constexpr int kGatedLoads = 1;

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
  const int64_t first = simt::block() * (kGatedThreads * kGatedLoads) + simt::thread();
  const int32_t gate_at = Rules::kGateFirst ? 0 : a.n, up_at = Rules::kGateFirst ? a.n : 0;
  simt::Vector<T> gate[kGatedLoads], up[kGatedLoads];
  SIMT_UNROLL
  for (int k = 0; k < kGatedLoads; ++k) {
    const int64_t load = first + k * kGatedThreads;
    const uint32_t row = a.scales.by_groups.quotient(uint32_t(load / kLanes));
    const T* x = a.x + int64_t{row} * a.n + load * 8;  // the rows before this one have n more elements than codes
    const bool live = load < int64_t{groups} * kLanes;
    gate[k] = live ? simt::load16(x + gate_at) : simt::Vector<T>{};
    up[k] = live ? simt::load16(x + up_at) : simt::Vector<T>{};
  }
  SIMT_UNROLL
  for (int k = 0; k < kGatedLoads; ++k) {
    const int64_t load = first + k * kGatedThreads;
    const uint32_t group = uint32_t(load / kLanes), row = a.scales.by_groups.quotient(group);
    float v[8];
    silu_times_up<typename Rules::Activation>(gate[k], up[k], v);
    quantize_elements<typename Rules::Group, kWarp, kLanes>(v, group < groups, a.q + load * 8, a.scales, row,
                                                            int32_t(group - row * per_row), a.scale_ub);
  }
  write_absent_groups<typename Rules::Group>(a.scales);  // and no absent rows: these ops leave them as they were
}

}  // namespace assay_kernels
