// mma() on NVIDIA GPUs: the real instruction, by inline PTX. The instructions of sm_90 were run. For sm_100 and sm_120 only
// compilation and the number of opcodes in the object files are checked.
#pragma once

#include "kernels/units/nvidia_units.h"
#include "kernels/units/unit.h"

namespace assay_kernels::units {

struct OfNvidia : Lists<Sm80Units, Sm86Units, Sm89Units, Sm90Units> {};
struct OfBlackwell : Lists<Sm100Units, Sm120Units> {};
struct OfAmd : Lists<> {};
struct UnknownOfAmd : Lists<> {};

template <class U, int kWarp>
inline constexpr int kThreads = U::kDeviceThreads;

/// "sm_90.mma.f16.f32" -> 90
constexpr int chip_of(const char* contract) {
  int number = 0;
  for (const char* c = contract + 3; *c != '.'; ++c) number = number * 10 + (*c - '0');
  return number;
}

template <class U>
inline constexpr int kChip = chip_of(U::kContract);

/// The architecture that the compiler currently targets; 0 for the host and for other GPUs. Tensor core instructions from Hopper
/// on exist on one architecture each, such as sm_90a.
#if defined(__CUDA_ARCH_FEAT_SM120_ALL)
inline constexpr int kChipOfCode = 120;
#elif defined(__CUDA_ARCH_FEAT_SM100_ALL)
inline constexpr int kChipOfCode = 100;
#elif defined(__CUDA_ARCH_FEAT_SM90_ALL)
inline constexpr int kChipOfCode = 90;
#elif defined(__CUDA_ARCH__) && (__CUDA_ARCH__ == 890 || __CUDA_ARCH__ == 800)
inline constexpr int kChipOfCode = __CUDA_ARCH__ / 10;
#else
inline constexpr int kChipOfCode = 0;
#endif
template <class U>
inline constexpr bool kIsHere = kChip<U> == kChipOfCode || (kChip<U> == 86 && kChipOfCode == 80);

/// The elements of a result tile that one thread holds: two adjacent ones of row r and two of row r + 8 (PTX ISA, fragments of
/// m16n8 and of wgmma's D).
template <class U, int kWarp>
struct Tile {
  static constexpr int kElements = U::kM * U::kN / U::kDeviceThreads;
  uint32_t at[kElements];
  SIMT_DEVICE static int row(int i) { return simt::thread() / 32 * 16 + simt::thread() % 32 / 4 + (i & 2 ? 8 : 0) + i / 4 * 64; }
  SIMT_DEVICE static int column(int i) { return simt::thread() % 4 * 2 + (i & 1); }
};

SIMT_DEVICE uint32_t word_at(const uint8_t* bytes) { return *reinterpret_cast<const uint32_t*>(bytes); }

/// Four fp16 codes in two registers; store() unpacks them.
struct Halves {
  uint32_t at[2];
  SIMT_DEVICE explicit Halves(const uint32_t (&codes)[4]) : at{codes[0] | codes[1] << 16, codes[2] | codes[3] << 16} {}
  SIMT_DEVICE void store(uint32_t (&codes)[4]) const {
    for (int i = 0; i < 4; ++i) codes[i] = at[i / 2] >> (16 * (i & 1)) & 0xffffu;
  }
};

// mma.sync: one warp computes 16 x 8 elements from 32 bytes along k. Four threads form a group. Thread t of group g holds the
// 4-byte words at bytes 4 t and 4 t + 16 of rows g and g + 8 of A and of row g of B (PTX ISA, fragments of m16n8; all widths).

/// Accumulators are four 32-bit values, or four fp16 values in two words.
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

/// MmaSync with scales. Threads 0 and 2 of group g pass the scales of A's row g, threads 1 and 3 those of row g + 8. All threads
/// pass the scales of B's row g.
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

/// Converts the lower or upper two e4m3 codes of a word to two fp16 codes.
SIMT_DEVICE uint32_t halves_of(uint32_t word, bool upper) {
  uint32_t halves;
  asm("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(halves) : "h"(uint16_t(upper ? word >> 16 : word)));
  return halves;
}

template <class U, class = void>
struct UnpackedByKernel : std::false_type {};
template <class U>
struct UnpackedByKernel<U, std::enable_if_t<U::kUnpackedByKernel>> : std::true_type {};

/// Multiplies the lower halves of all words with one fp16 instruction, then the upper halves.
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
  static_assert(Bytes<U>::kRow == 32 && Bytes<U>::kColumn == 32, "each group of four threads holds 32 bytes of a row");
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

// wgmma: four warps compute 64 x 8 elements from 32 bytes along k. Both operands are in shared memory, without swizzle, in pieces
// of 8 rows x 16 bytes. The two halves of a row are 128 bytes apart; the next eight rows follow after 256 bytes (PTX ISA, matrix
// descriptors). Measured in this layout on an H200.

/// Offset in bytes of half `half` (16 bytes) of a row in that layout.
SIMT_DEVICE int piece_of(int row, int half) { return (row / 8 * 2 + half) * 128 + row % 8 * 16; }

/// All threads of the block together copy rows of 32 bytes into that layout.
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
  static_assert(Bytes<U>::kRow == 32 && Bytes<U>::kColumn == 32, "stage() copies 32 bytes of a row");
  alignas(128) __shared__ uint8_t a[U::kM * 32];
  alignas(128) __shared__ uint8_t b[U::kN * 32];
  simt::barrier();  // until then, the previous call may still read a and b
  stage(a, x.a, x.a_pitch, U::kM);
  stage(b, x.b, x.b_pitch, U::kN);
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  simt::barrier();
  Wgmma<typename U::A, typename U::B, typename U::D>::run(d, descriptor(a), descriptor(b));
}

// tcgen05.mma: one thread of four warps issues it. Operands are in shared memory as for wgmma; accumulators and scales are in
// tensor memory. This instruction has not been run: only compilation and the number of its opcodes are checked.
// Source: PTX ISA, tcgen05; CUTLASS include/cute/arch/mma_sm100_desc.hpp 0d2b201e.

/// Columns of tensor memory: how many are allocated, and the first columns of A's and B's scales. Accumulators begin at column 0.
inline constexpr int kTensorColumns = 32, kScalesOfA = 16, kScalesOfB = 24;

template <class F>
SIMT_DEVICE constexpr uint32_t tcgen05_format() {
  if (std::is_same<F, Bf16>::value || std::is_same<F, E5m2>::value || std::is_same<F, E2m1>::value) return 1;
  return std::is_same<F, Tf32>::value ? 2 : 0;
}

/// The instruction descriptor: formats and tile size. For instructions with scales, the scale format replaces the format of D.
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

/// Stores v into eight columns of tensor memory, from `address` on; each lane of the warp writes its own row.
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

/// Stores the scales of up to 128 rows in tensor memory. Lane i of each warp passes one word for each of the rows i, i + 32, ...
template <class U>
SIMT_DEVICE void store_scales(uint32_t address, const uint8_t* scales, int64_t pitch, int rows) {
  uint32_t words[8] = {};
  for (int j = 0; j < 4; ++j) {
    const int row = simt::thread() % 32 + 32 * j;
    for (int s = 0; s < Bytes<U>::kScales && row < rows; ++s) words[j] |= uint32_t(scales[row * pitch + s]) << (8 * s);
  }
  tensor_store(address, words);
}

/// Each of four warps has 32 lanes of tensor memory. Of 128 rows, row r is in lane r; of 64 rows, each warp has 16 in its first lanes.
template <class U, int kWarp>
SIMT_DEVICE void tcgen05_mma(Tile<U, kWarp>& d, const Operands& x) {
  static_assert(Bytes<U>::kRow == 32 && Bytes<U>::kColumn == 32 && U::kN == 8,
                "stage() copies 32 bytes of a row, tensor_store() eight columns");
  alignas(128) __shared__ uint8_t a[U::kM * 32];
  alignas(128) __shared__ uint8_t b[U::kN * 32];
  __shared__ uint32_t sums[U::kM][U::kN];
  __shared__ uint32_t slot;
  alignas(8) __shared__ uint64_t done;
  constexpr int kRowsOfWarp = U::kM / 4;
  const int warp = simt::thread() / 32, lane = simt::thread() % 32, row = warp * kRowsOfWarp + lane;

  simt::barrier();  // until then, the previous call may still read a and b
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

/// d = A * B^T + d by one instruction. kThreads<U, kWarp> threads must call it together. It traps if the instruction belongs to
/// another architecture.
template <class U, int kWarp>
SIMT_DEVICE void mma(Tile<U, kWarp>& d, const Operands& x) {
  if constexpr (!kIsHere<U>) {
    __trap();
  } else if constexpr (U::kDeviceThreads == 32) {
    mma_sync<U>(d.at, x);
  } else if constexpr (kChip<U> == 90) {
    wgmma<U>(d.at, x);
  } else {
    tcgen05_mma<U, kWarp>(d, x);
  }
}

}  // namespace assay_kernels::units
