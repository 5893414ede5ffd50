// tcgen05.mma: one thread of four warps starts it, factors lie in shared memory as wgmma's, accumulators and scales in tensor
// memory. Sources: PTX ISA, tcgen05; CUTLASS include/cute/arch/mma_sm100_desc.hpp 0d2b201e. Compiled, its opcode counted, never
// run here.
#pragma once

#include "kernels/units/cuda_wgmma.h"

namespace assay_kernels::units {

/// Columns of tensor memory: accumulators, scales of a, scales of b.
inline constexpr int kTensorColumns = 32, kScalesOfA = 16, kScalesOfB = 24;

template <class F>
SIMT_DEVICE constexpr uint32_t tcgen05_format() {
  if (std::is_same<F, Bf16>::value || std::is_same<F, E5m2>::value || std::is_same<F, E2m1>::value) return 1;
  return std::is_same<F, Tf32>::value ? 2 : 0;
}

/// The instruction descriptor: formats and the tile; with scales their format instead of D's.
template <class U>
SIMT_DEVICE constexpr uint32_t tcgen05_descriptor() {
  const uint32_t tile = tcgen05_format<typename U::A>() << 7 | tcgen05_format<typename U::B>() << 10 | uint32_t(U::kN / 8) << 17 |
                        uint32_t(U::kM / 16) << 24;
  if constexpr (Bytes<U>::kScales != 0) return tile | (std::is_same<typename U::Scale, E8m0>::value ? 1u : 0u) << 23;
  return tile | (U::D::kBits == 32 ? 1u : 0u) << 4;
}

#define SIMT_TCGEN05(kind)                                                                                                   \
  asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, 1, 0;\ntcgen05.mma.cta_group::1." kind " [%0], %1, %2, %3, p;\n}" ::"r"(d), \
               "l"(a), "l"(b), "r"(tcgen05_descriptor<U>())                                                                  \
               : "memory")
#define SIMT_SCALED_TCGEN05(kind)                                                                     \
  asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, 1, 0;\ntcgen05.mma.cta_group::1." kind               \
               " [%0], %1, %2, %3, [%4], [%5], p;\n}" ::"r"(d),                                       \
               "l"(a), "l"(b), "r"(tcgen05_descriptor<U>()), "r"(d + kScalesOfA), "r"(d + kScalesOfB) \
               : "memory")

template <class U>
SIMT_DEVICE void tcgen05_start(uint32_t d, uint64_t a, uint64_t b) {
  if constexpr (Bytes<U>::kScales == 0) {
    if constexpr (U::A::kMemoryBits == 16) SIMT_TCGEN05("kind::f16");
    if constexpr (U::A::kMemoryBits == 32) SIMT_TCGEN05("kind::tf32");
    if constexpr (U::A::kMemoryBits == 8) SIMT_TCGEN05("kind::f8f6f4");
  } else {
    if constexpr (U::A::kMemoryBits == 8) SIMT_SCALED_TCGEN05("kind::mxf8f6f4.block_scale");
    if constexpr (U::A::kMemoryBits == 4 && U::kScaleBlock == 32) SIMT_SCALED_TCGEN05("kind::mxf4.block_scale.scale_vec::2X");
    if constexpr (U::A::kMemoryBits == 4 && U::kScaleBlock == 16) SIMT_SCALED_TCGEN05("kind::mxf4nvf4.block_scale.scale_vec::4X");
  }
}
#undef SIMT_TCGEN05
#undef SIMT_SCALED_TCGEN05

/// Eight columns of the lanes of this warp.
SIMT_DEVICE void tensor_store(uint32_t address, const uint32_t (&v)[8]) {
  asm volatile(
      "tcgen05.st.sync.aligned.32x32b.x8.b32 [%0], {%1, %2, %3, %4, %5, %6, %7, %8};\ntcgen05.wait::st.sync.aligned;" ::"r"(
          address),
      "r"(v[0]), "r"(v[1]), "r"(v[2]), "r"(v[3]), "r"(v[4]), "r"(v[5]), "r"(v[6]), "r"(v[7])
      : "memory");
}
SIMT_DEVICE void tensor_load(uint32_t address, uint32_t (&v)[8]) {
  asm volatile("tcgen05.ld.sync.aligned.32x32b.x8.b32 {%0, %1, %2, %3, %4, %5, %6, %7}, [%8];\ntcgen05.wait::ld.sync.aligned;"
               : "=r"(v[0]), "=r"(v[1]), "=r"(v[2]), "=r"(v[3]), "=r"(v[4]), "=r"(v[5]), "=r"(v[6]), "=r"(v[7])
               : "r"(address)
               : "memory");
}

/// Scales of up to 128 rows: a lane has those of rows lane, lane + 32, .., a word each, every warp the same.
template <class U>
SIMT_DEVICE void store_scales(uint32_t address, const uint8_t* scales, int64_t pitch, int rows) {
  uint32_t words[8] = {};
  for (int j = 0; j < 4; ++j) {
    const int row = simt::thread() % 32 + 32 * j;
    for (int s = 0; s < Bytes<U>::kScales && row < rows; ++s) words[j] |= uint32_t(scales[row * pitch + s]) << (8 * s);
  }
  tensor_store(address, words);
}

/// Row r of 128 is lane r; of 64 rows each warp has sixteen, in the first of its lanes.
template <class U, int kWarp>
SIMT_DEVICE void tcgen05_mma(Tile<U, kWarp>& d, const Operands& x) {
  static_assert(Bytes<U>::kRow == 32 && Bytes<U>::kColumn == 32 && U::kN == 8,
                "stage() copies so many bytes, tensor_store() so many columns");
  alignas(128) SIMT_SHARED uint8_t a[U::kM * 32];
  alignas(128) SIMT_SHARED uint8_t b[U::kN * 32];
  SIMT_SHARED uint32_t sums[U::kM][U::kN];
  SIMT_SHARED uint32_t slot;
  alignas(8) SIMT_SHARED uint64_t done;
  constexpr int kRowsOfWarp = U::kM / 4;
  const int warp = simt::thread() / 32, lane = simt::thread() % 32, row = warp * kRowsOfWarp + lane;

  simt::barrier();  // nobody reads what the step before staged
  if (warp == 0) {
    asm volatile("tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [%0], %1;" ::"r"(shared_address(&slot)),
                 "r"(kTensorColumns)
                 : "memory");
    if (lane == 0) asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(shared_address(&done)) : "memory");
  }
  stage(a, x.a, x.a_pitch, U::kM);
  stage(b, x.b, x.b_pitch, U::kN);
  for (int i = 0; i < d.kElements; ++i) sums[d.row(i)][d.column(i)] = d.at[i];
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  simt::barrier();

  const uint32_t tensor = slot, mine = tensor + (uint32_t(32 * warp) << 16);
  uint32_t v[8] = {};
  if (lane < kRowsOfWarp)
    for (int j = 0; j < 8; ++j) v[j] = sums[row][j];
  tensor_store(mine, v);
  if constexpr (Bytes<U>::kScales != 0) {
    store_scales<U>(mine + kScalesOfA, x.sfa, x.sfa_pitch, U::kM);
    store_scales<U>(mine + kScalesOfB, x.sfb, x.sfb_pitch, U::kN);
  }
  asm volatile("tcgen05.fence::before_thread_sync;" ::: "memory");
  simt::barrier();
  asm volatile("tcgen05.fence::after_thread_sync;" ::: "memory");
  if (simt::thread() == 0) {
    tcgen05_start<U>(tensor, descriptor(a) | uint64_t{1} << 46, descriptor(b) | uint64_t{1} << 46);
    asm volatile("tcgen05.commit.cta_group::1.mbarrier::arrive::one.b64 [%0];" ::"l"(uint64_t(shared_address(&done))) : "memory");
  }
  asm volatile("{\n.reg .pred p;\nwaiting:\nmbarrier.try_wait.parity.shared::cta.b64 p, [%0], 0;\n@!p bra waiting;\n}" ::"r"(
                   shared_address(&done))
               : "memory");
  asm volatile("tcgen05.fence::after_thread_sync;" ::: "memory");
  tensor_load(mine, v);
  if (lane < kRowsOfWarp)
    for (int j = 0; j < 8; ++j) sums[row][j] = v[j];
  asm volatile("tcgen05.fence::before_thread_sync;" ::: "memory");
  simt::barrier();
  if (warp == 0) {
    asm volatile(
        "tcgen05.relinquish_alloc_permit.cta_group::1.sync.aligned;\ntcgen05.dealloc.cta_group::1.sync.aligned.b32 %0, %1;" ::"r"(
            tensor),
        "r"(kTensorColumns)
        : "memory");
    if (lane == 0) asm volatile("mbarrier.inval.shared::cta.b64 [%0];" ::"r"(shared_address(&done)) : "memory");
  }
  for (int i = 0; i < d.kElements; ++i) d.at[i] = sums[d.row(i)][d.column(i)];
}

}  // namespace assay_kernels::units
