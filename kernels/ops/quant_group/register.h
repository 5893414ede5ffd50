// Group quantization in registers: 16-bit elements, eight in a load, a group in 4, 8 or 16 neighbouring threads.
#pragma once

#include "kernels/ops/quant_group/arguments.h"
#include "kernels/ops/quant_group/lane_words.h"

namespace assay_kernels {

inline constexpr int kRegisterThreads = 128;
inline constexpr int kRegisterLoads = 4;  ///< in flight for each thread

/// The matrix is dense, so groups follow each other; a block takes kRegisterLoads runs of 128 loads.
template <class Rules, class T, int kWarp, int kLanes>
SIMT_KERNEL void quant_group_register(GroupArguments<T> a) {
  const uint32_t groups = uint32_t(a.scales.rows * a.scales.groups);
  const int64_t first = simt::block() * (kRegisterThreads * kRegisterLoads) + simt::thread();
  LaneWords<1> x[kRegisterLoads] = {};
  SIMT_UNROLL
  for (int k = 0; k < kRegisterLoads; ++k) {
    const int64_t load = first + k * kRegisterThreads;
    if (load < int64_t{groups} * kLanes) x[k].load(a.x + load * 8);
  }
  SIMT_UNROLL
  for (int k = 0; k < kRegisterLoads; ++k) {
    const int64_t load = first + k * kRegisterThreads;
    const uint32_t group = uint32_t(load / kLanes);
    const uint32_t row = a.scales.by_groups.quotient(group);
    float v[8];
    x[k].template widen_to<T>(v);
    quantize_elements<Rules, kWarp, kLanes>(v, group < groups, a.q + load * 8, a.scales, row,
                                            int32_t(group - row * a.scales.by_groups.divisor));
  }
  write_absent_groups<Rules>(a.scales);
  write_absent_rows<Rules>(a.scales);
}

}  // namespace assay_kernels
