// wgmma: four warps, 64 x 8, 32 bytes of k, both factors in shared memory without a swizzle: pieces of 8 rows by 16 bytes, the
// two of a row 128 bytes apart and those of eight rows 256 (PTX ISA, matrix descriptors). So it was measured on an H200.
#pragma once

namespace assay_kernels::units {

/// Where 16 bytes of a row lie.
SIMT_DEVICE int piece_of(int row, int half) { return (row / 8 * 2 + half) * 128 + row % 8 * 16; }

/// Copies rows of 32 bytes by all threads of the block.
SIMT_DEVICE void stage(uint8_t* to, const uint8_t* from, int64_t pitch, int rows) {
  for (int i = simt::thread(); i < rows * 8; i += simt::block_size())
    *reinterpret_cast<uint32_t*>(to + piece_of(i / 8, i % 8 / 4) + i % 4 * 4) = word_at(from + i / 8 * pitch + i % 8 * 4);
}

SIMT_DEVICE uint32_t shared_address(const void* p) { return uint32_t(__cvta_generic_to_shared(p)); }

SIMT_DEVICE uint64_t descriptor(const void* staged) {
  return uint64_t{(shared_address(staged) & 0x3ffffu) >> 4} | uint64_t{128 >> 4} << 16 | uint64_t{256 >> 4} << 32;
}

template <class A, class B, class D>
struct Wgmma;

#define SIMT_WGMMA_32(A, B, D, text)                                               \
  template <>                                                                      \
  struct Wgmma<A, B, D> {                                                          \
    SIMT_DEVICE static void run(uint32_t (&d)[4], uint64_t a, uint64_t b) {        \
      asm volatile("wgmma.fence.sync.aligned;\nwgmma.mma_async.sync.aligned." text \
                   "\nwgmma.commit_group.sync.aligned;\n"                          \
                   "wgmma.wait_group.sync.aligned 0;"                              \
                   : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])                \
                   : "l"(a), "l"(b)                                                \
                   : "memory");                                                    \
    }                                                                              \
  }
#define SIMT_WGMMA_16(A, B, text)                                                  \
  template <>                                                                      \
  struct Wgmma<A, B, F16> {                                                        \
    SIMT_DEVICE static void run(uint32_t (&codes)[4], uint64_t a, uint64_t b) {    \
      Halves d(codes);                                                             \
      asm volatile("wgmma.fence.sync.aligned;\nwgmma.mma_async.sync.aligned." text \
                   "\nwgmma.commit_group.sync.aligned;\n"                          \
                   "wgmma.wait_group.sync.aligned 0;"                              \
                   : "+r"(d.at[0]), "+r"(d.at[1])                                  \
                   : "l"(a), "l"(b)                                                \
                   : "memory");                                                    \
      d.store(codes);                                                              \
    }                                                                              \
  }
SIMT_WGMMA_32(F16, F16, F32, "m64n8k16.f32.f16.f16 {%0, %1, %2, %3}, %4, %5, 1, 1, 1, 0, 0;");
SIMT_WGMMA_32(Bf16, Bf16, F32, "m64n8k16.f32.bf16.bf16 {%0, %1, %2, %3}, %4, %5, 1, 1, 1, 0, 0;");
SIMT_WGMMA_32(Tf32, Tf32, F32, "m64n8k8.f32.tf32.tf32 {%0, %1, %2, %3}, %4, %5, 1, 1, 1;");
SIMT_WGMMA_32(E4m3, E4m3, F32, "m64n8k32.f32.e4m3.e4m3 {%0, %1, %2, %3}, %4, %5, 1, 1, 1;");
SIMT_WGMMA_32(E5m2, E5m2, F32, "m64n8k32.f32.e5m2.e5m2 {%0, %1, %2, %3}, %4, %5, 1, 1, 1;");
SIMT_WGMMA_32(E4m3, E5m2, F32, "m64n8k32.f32.e4m3.e5m2 {%0, %1, %2, %3}, %4, %5, 1, 1, 1;");
SIMT_WGMMA_32(E5m2, E4m3, F32, "m64n8k32.f32.e5m2.e4m3 {%0, %1, %2, %3}, %4, %5, 1, 1, 1;");
SIMT_WGMMA_32(Int8, Int8, Int32, "m64n8k32.s32.s8.s8 {%0, %1, %2, %3}, %4, %5, 1;");
SIMT_WGMMA_16(F16, F16, "m64n8k16.f16.f16.f16 {%0, %1}, %2, %3, 1, 1, 1, 0, 0;");
SIMT_WGMMA_16(E4m3, E4m3, "m64n8k32.f16.e4m3.e4m3 {%0, %1}, %2, %3, 1, 1, 1;");
SIMT_WGMMA_16(E5m2, E5m2, "m64n8k32.f16.e5m2.e5m2 {%0, %1}, %2, %3, 1, 1, 1;");
SIMT_WGMMA_16(E4m3, E5m2, "m64n8k32.f16.e4m3.e5m2 {%0, %1}, %2, %3, 1, 1, 1;");
SIMT_WGMMA_16(E5m2, E4m3, "m64n8k32.f16.e5m2.e4m3 {%0, %1}, %2, %3, 1, 1, 1;");
#undef SIMT_WGMMA_32
#undef SIMT_WGMMA_16

template <class U>
SIMT_DEVICE void wgmma(uint32_t (&d)[4], const Operands& x) {
  static_assert(Bytes<U>::kRow == 32 && Bytes<U>::kColumn == 32, "stage() copies so many");
  alignas(128) SIMT_SHARED uint8_t a[U::kM * 32];
  alignas(128) SIMT_SHARED uint8_t b[U::kN * 32];
  simt::barrier();  // nobody reads what the step before staged
  stage(a, x.a, x.a_pitch, U::kM);
  stage(b, x.b, x.b_pitch, U::kN);
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  simt::barrier();
  Wgmma<typename U::A, typename U::B, typename U::D>::run(d, descriptor(a), descriptor(b));
}

}  // namespace assay_kernels::units
