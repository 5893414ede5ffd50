// MXFP8 quantization in registers: 16-bit elements, eight in a load, a block of 32 in four neighbouring threads.
#pragma once

#include "kernels/ops/quant_group/lane_words.h"
#include "kernels/ops/quant_group/register.h"
#include "kernels/ops/quant_mx/bytes_out.h"
#include "kernels/ops/quant_mx/rules.h"

namespace assay_kernels {

inline constexpr int kMxBlock = 32, kMxLanes = kMxBlock / 8;

template <class T, class Out>
struct MxArguments {
  const T* x;
  uint8_t* q;
  Out out;
};

/// Neighbouring elements of one thread, a multiple of eight: a block is the work of so many threads as its 32 need.
template <class Rules, int kWarp, class Out, int kElements>
SIMT_DEVICE void quantize_block(const float (&x)[kElements], bool live, uint8_t* q, const Out& out, int64_t row, int32_t group) {
  constexpr int kLanes = kMxBlock / kElements;
  const float widest = simt::lane_reduce<kWarp, Rules::template kReach<kWarp, kLanes>>(
      widest_of<Rules>(x), [](float a, float b) { return Rules::widest(a, b); });
  const float amax = Rules::amax(widest);
  const uint32_t exponent = Rules::exponent(amax);
  const typename Rules::Element element(Rules::multiplier(amax, exponent));
  float u[kElements];
  SIMT_UNROLL
  for (int i = 0; i < kElements; ++i) u[i] = Rules::clamp(element(Rules::before(x[i])));
  if (!live) return;
  SIMT_UNROLL
  for (int i = 0; i < kElements; i += 8) simt::store8(q + i, Rules::Code::encode4(u + i), Rules::Code::encode4(u + i + 4));
  if (simt::thread() % kLanes == 0) out.data[out.place(row, group)] = uint8_t(exponent);
}

/// The matrix is dense, so blocks follow each other; a block of threads takes kRegisterLoads runs of 128 loads.
template <class Rules, class T, int kWarp, class Out>
SIMT_KERNEL void quant_mx(MxArguments<T, Out> a) {
  const uint32_t blocks = uint32_t(a.out.rows * a.out.groups);
  const int64_t first = simt::block() * (kRegisterThreads * kRegisterLoads) + simt::thread();
  LaneWords<1> x[kRegisterLoads] = {};
  SIMT_UNROLL
  for (int k = 0; k < kRegisterLoads; ++k) {
    const int64_t load = first + k * kRegisterThreads;
    if (load < int64_t{blocks} * kMxLanes) x[k].load(a.x + load * 8);
  }
  SIMT_UNROLL
  for (int k = 0; k < kRegisterLoads; ++k) {
    const int64_t load = first + k * kRegisterThreads;
    const uint32_t block = uint32_t(load / kMxLanes);
    const uint32_t row = a.out.by_groups.quotient(block);
    float v[8];
    x[k].template widen_to<T>(v);
    quantize_block<Rules, kWarp>(v, block < blocks, a.q + load * 8, a.out, row, int32_t(block - row * a.out.by_groups.divisor));
  }
  a.out.template write_absent<Rules>();
}

}  // namespace assay_kernels
