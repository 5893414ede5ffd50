// mma.sync: a warp, 16 x 8, 32 bytes of k. A thread of group g and place t in it has words of rows g and g + 8 of A and of row g
// of B, at bytes 4 t and 4 t + 16 (PTX ISA, fragments of m16n8; the same for all widths of elements).
#pragma once

namespace assay_kernels::units {

/// Four accumulators of 32 bits, or two words of f16.
template <class A, class B, class D>
struct MmaSync;

#define SIMT_MMA_SYNC_32(A, B, D, text)                                                                        \
  template <>                                                                                                  \
  struct MmaSync<A, B, D> {                                                                                    \
    SIMT_DEVICE static void run(uint32_t (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {            \
      asm volatile("mma.sync.aligned." text " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};" \
                   : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])                                            \
                   : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));                        \
    }                                                                                                          \
  }
#define SIMT_MMA_SYNC_16(A, B, text)                                                                    \
  template <>                                                                                           \
  struct MmaSync<A, B, F16> {                                                                           \
    SIMT_DEVICE static void run(uint32_t (&codes)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) { \
      Halves d(codes);                                                                                  \
      asm volatile("mma.sync.aligned." text " {%0, %1}, {%2, %3, %4, %5}, {%6, %7}, {%0, %1};"          \
                   : "+r"(d.at[0]), "+r"(d.at[1])                                                       \
                   : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));                 \
      d.store(codes);                                                                                   \
    }                                                                                                   \
  }
SIMT_MMA_SYNC_32(F16, F16, F32, "m16n8k16.row.col.f32.f16.f16.f32");
SIMT_MMA_SYNC_16(F16, F16, "m16n8k16.row.col.f16.f16.f16.f16");
SIMT_MMA_SYNC_32(Bf16, Bf16, F32, "m16n8k16.row.col.f32.bf16.bf16.f32");
SIMT_MMA_SYNC_32(Tf32, Tf32, F32, "m16n8k8.row.col.f32.tf32.tf32.f32");
SIMT_MMA_SYNC_32(E4m3, E4m3, F32, "m16n8k32.row.col.f32.e4m3.e4m3.f32");
SIMT_MMA_SYNC_32(E5m2, E5m2, F32, "m16n8k32.row.col.f32.e5m2.e5m2.f32");
SIMT_MMA_SYNC_32(E4m3, E5m2, F32, "m16n8k32.row.col.f32.e4m3.e5m2.f32");
SIMT_MMA_SYNC_32(E5m2, E4m3, F32, "m16n8k32.row.col.f32.e5m2.e4m3.f32");
SIMT_MMA_SYNC_16(E4m3, E4m3, "m16n8k32.row.col.f16.e4m3.e4m3.f16");
SIMT_MMA_SYNC_16(E5m2, E5m2, "m16n8k32.row.col.f16.e5m2.e5m2.f16");
SIMT_MMA_SYNC_16(E4m3, E5m2, "m16n8k32.row.col.f16.e4m3.e5m2.f16");
SIMT_MMA_SYNC_16(E5m2, E4m3, "m16n8k32.row.col.f16.e5m2.e4m3.f16");
SIMT_MMA_SYNC_32(Int8, Int8, Int32, "m16n8k32.row.col.s32.s8.s8.s32");
#undef SIMT_MMA_SYNC_32
#undef SIMT_MMA_SYNC_16

/// The same with scales. Of A the scales of row g come from places 0 and 2 of a group, of row g + 8 from 1 and 3; of B from any.
template <class A, class B, class S>
struct ScaledMmaSync;

#define SIMT_SCALED_MMA_SYNC(A, B, S, text)                                                                                   \
  template <>                                                                                                                 \
  struct ScaledMmaSync<A, B, S> {                                                                                             \
    SIMT_DEVICE static void run(uint32_t (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], uint32_t sa, uint32_t sb) { \
      asm volatile("mma.sync.aligned." text                                                                                   \
                   " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3}, {%10}, {0, 0}, {%11}, {0, 0};"           \
                   : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])                                                           \
                   : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "r"(sa), "r"(sb));                     \
    }                                                                                                                         \
  }
#define SIMT_MXF8(A, B, text) SIMT_SCALED_MMA_SYNC(A, B, E8m0, "m16n8k32.row.col.kind::mxf8f6f4.block_scale.scale_vec::1X." text)
SIMT_MXF8(E4m3, E4m3, "f32.e4m3.e4m3.f32.ue8m0");
SIMT_MXF8(E5m2, E5m2, "f32.e5m2.e5m2.f32.ue8m0");
SIMT_MXF8(E4m3, E5m2, "f32.e4m3.e5m2.f32.ue8m0");
SIMT_MXF8(E5m2, E4m3, "f32.e5m2.e4m3.f32.ue8m0");
SIMT_SCALED_MMA_SYNC(E2m1, E2m1, E8m0, "m16n8k64.row.col.kind::mxf4.block_scale.scale_vec::2X.f32.e2m1.e2m1.f32.ue8m0");
SIMT_SCALED_MMA_SYNC(E2m1, E2m1, Ue4m3, "m16n8k64.row.col.kind::mxf4nvf4.block_scale.scale_vec::4X.f32.e2m1.e2m1.f32.ue4m3");
#undef SIMT_MXF8
#undef SIMT_SCALED_MMA_SYNC

/// Two codes of e4m3 as two halves: the lower or the upper ones of a word.
SIMT_DEVICE uint32_t halves_of(uint32_t word, bool upper) {
  uint32_t halves;
  asm("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(halves) : "h"(uint16_t(upper ? word >> 16 : word)));
  return halves;
}

template <class U, class = void>
struct UnpackedByKernel : std::false_type {};
template <class U>
struct UnpackedByKernel<U, std::enable_if_t<U::kUnpackedByKernel>> : std::true_type {};

/// The lower halves of all words by one instruction of f16, then the upper ones.
SIMT_DEVICE void unpacked_mma(uint32_t (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  for (const bool upper : {false, true}) {
    uint32_t x[4], y[2];
    for (int r = 0; r < 4; ++r) x[r] = halves_of(a[r], upper);
    for (int r = 0; r < 2; ++r) y[r] = halves_of(b[r], upper);
    MmaSync<F16, F16, F32>::run(d, x, y);
  }
}

template <class U>
SIMT_DEVICE void mma_sync(uint32_t (&d)[4], const Operands& x) {
  static_assert(Bytes<U>::kRow == 32 && Bytes<U>::kColumn == 32, "two words of each row in every group of four threads");
  const int group = simt::thread() / 4, place = simt::thread() % 4;
  uint32_t a[4], b[2];
  for (int r = 0; r < 4; ++r) a[r] = word_at(x.a + (group + 8 * (r & 1)) * x.a_pitch + 4 * place + 16 * (r >> 1));
  for (int r = 0; r < 2; ++r) b[r] = word_at(x.b + group * x.b_pitch + 4 * place + 16 * r);
  if constexpr (UnpackedByKernel<U>::value) {
    unpacked_mma(d, a, b);
  } else if constexpr (Bytes<U>::kScales == 0) {
    MmaSync<typename U::A, typename U::B, typename U::D>::run(d, a, b);
  } else {
    uint32_t sa = 0, sb = 0;
    for (int s = 0; s < Bytes<U>::kScales; ++s) {
      sa |= uint32_t(x.sfa[(group + 8 * (place & 1)) * x.sfa_pitch + s]) << (8 * s);
      sb |= uint32_t(x.sfb[group * x.sfb_pitch + s]) << (8 * s);
    }
    ScaledMmaSync<typename U::A, typename U::B, typename U::Scale>::run(d, a, b, sa, sb);
  }
}

}  // namespace assay_kernels::units
