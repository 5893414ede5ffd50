// mma() on AMD GPUs: the MFMA instructions with 16 x 16 results. Each lane of a 64-lane wave holds a quarter of k of one row of A
// and of one row of B. It has not been run on a GPU: only compilation and disassembly are checked.
// Source of the layout: AMD Matrix Instruction Calculator; CDNA3 ISA, 7.1.5.
#pragma once

#include "kernels/units/amd_units.h"
#include "kernels/units/unit.h"

namespace assay_kernels::units {

struct OfNvidia : Lists<> {};
struct OfBlackwell : Lists<> {};
struct OfAmd : Lists<Gfx90aUnits, Gfx942Units, Gfx950Units, Gfx950UnknownUnits> {};
struct UnknownOfAmd : Lists<List<Gfx950MfmaE4m3F32, Gfx950MfmaMxf4F32>> {};  ///< instructions whose accumulation is undocumented

template <class U, int kWarp>
inline constexpr int kThreads = U::kDeviceThreads;

template <class U, int kWarp>
struct Tile {
  static constexpr int kElements = U::kM * U::kN / 64;
  uint32_t at[kElements];
  SIMT_DEVICE static int row(int i) { return simt::thread() / 16 * 4 + i; }
  SIMT_DEVICE static int column(int /*i*/) { return simt::thread() % 16; }
};

using Accumulators = float __attribute__((ext_vector_type(4)));
using Sums = int __attribute__((ext_vector_type(4)));

/// The quarter of a row of A or B that this lane holds; `bytes`: its size.
template <class T>
SIMT_DEVICE T part_of(const uint8_t* row, int bytes) {
  T part{};
  __builtin_memcpy(&part, row + simt::thread() / 16 * bytes, size_t(bytes));
  return part;
}

/// part_of() for 128 codes of 8 bits. In quarter i = lane / 16, a lane holds codes 16 i .. 16 i + 15 and the 16 codes from
/// 64 + 16 i on, but passes the scale of codes 32 i .. 32 i + 31. Source: composable_kernel test/mx_mfma_op, a gfx950 test.
template <class T>
SIMT_DEVICE T two_parts_of(const uint8_t* row) {
  T part{};
  const uint8_t* const first = row + simt::thread() / 16 * 16;
  __builtin_memcpy(&part, first, 16);
  __builtin_memcpy(reinterpret_cast<char*>(&part) + 16, first + 64, 16);
  return part;
}

/// Emits the instruction. kHere is false if the instruction belongs to another architecture.
template <class U>
struct Mfma {
  static constexpr bool kHere = false;
};

#define SIMT_MFMA(Unit, Part, builtin)                                                                                 \
  template <>                                                                                                          \
  struct Mfma<Unit> {                                                                                                  \
    static constexpr bool kHere = true;                                                                                \
    using Words = Part;                                                                                                \
    SIMT_DEVICE static Accumulators of(Part a, Part b, Accumulators c, int, int) { return builtin(a, b, c, 0, 0, 0); } \
  }

/// SIMT_MFMA for integer instructions.
#define SIMT_MFMA_OF_INTEGERS(Unit, Part, builtin)                                                     \
  template <>                                                                                          \
  struct Mfma<Unit> {                                                                                  \
    static constexpr bool kHere = true;                                                                \
    using Words = Part;                                                                                \
    SIMT_DEVICE static Sums of(Part a, Part b, Sums c, int, int) { return builtin(a, b, c, 0, 0, 0); } \
  }

using Halves4 = _Float16 __attribute__((ext_vector_type(4)));
using Halves8 = _Float16 __attribute__((ext_vector_type(8)));
using Shorts2 = short __attribute__((ext_vector_type(2)));
using Shorts4 = short __attribute__((ext_vector_type(4)));
using Bf16s8 = __bf16 __attribute__((ext_vector_type(8)));
using Floats2 = float __attribute__((ext_vector_type(2)));
using Ints4 = int __attribute__((ext_vector_type(4)));
using Ints8 = int __attribute__((ext_vector_type(8)));

#if defined(__gfx90a__)
SIMT_MFMA(Gfx90aMfmaF16F32, Halves4, __builtin_amdgcn_mfma_f32_16x16x16f16);
SIMT_MFMA(Gfx90aMfmaBf161kF32, Shorts4, __builtin_amdgcn_mfma_f32_16x16x16bf16_1k);
SIMT_MFMA(Gfx90aMfmaBf16F32, Shorts2, __builtin_amdgcn_mfma_f32_16x16x8bf16);
#elif defined(__gfx942__)
SIMT_MFMA(Gfx942MfmaF16F32, Halves4, __builtin_amdgcn_mfma_f32_16x16x16f16);
SIMT_MFMA(Gfx942MfmaBf16F32, Shorts4, __builtin_amdgcn_mfma_f32_16x16x16bf16_1k);
SIMT_MFMA(Gfx942MfmaXf32F32, Floats2, __builtin_amdgcn_mfma_f32_16x16x8_xf32);
SIMT_MFMA(Gfx942MfmaE4m3fnuzF32, long, __builtin_amdgcn_mfma_f32_16x16x32_fp8_fp8);
SIMT_MFMA(Gfx942MfmaE5m2fnuzF32, long, __builtin_amdgcn_mfma_f32_16x16x32_bf8_bf8);
SIMT_MFMA(Gfx942MfmaE4m3fnuzE5m2fnuzF32, long, __builtin_amdgcn_mfma_f32_16x16x32_fp8_bf8);
SIMT_MFMA(Gfx942MfmaE5m2fnuzE4m3fnuzF32, long, __builtin_amdgcn_mfma_f32_16x16x32_bf8_fp8);
SIMT_MFMA_OF_INTEGERS(Gfx942MfmaInt8Int32, long, __builtin_amdgcn_mfma_i32_16x16x32_i8);
#elif defined(__gfx950__)
SIMT_MFMA(Gfx950MfmaF16F32, Halves8, __builtin_amdgcn_mfma_f32_16x16x32_f16);
SIMT_MFMA(Gfx950MfmaBf16F32, Bf16s8, __builtin_amdgcn_mfma_f32_16x16x32_bf16);
SIMT_MFMA(Gfx950MfmaE4m3F32, long, __builtin_amdgcn_mfma_f32_16x16x32_fp8_fp8);
SIMT_MFMA(Gfx950MfmaE5m2F32, long, __builtin_amdgcn_mfma_f32_16x16x32_bf8_bf8);
SIMT_MFMA_OF_INTEGERS(Gfx950MfmaInt8Int32, Ints4, __builtin_amdgcn_mfma_i32_16x16x64_i8);

/// kFormat: the format of `a` and `b` (0: e4m3fn, 4: e2m1). The scale of a lane is the lowest byte of sa or sb.
template <int kFormat>
struct ScaledMfma {
  static constexpr bool kHere = true;
  using Words = Ints8;
  SIMT_DEVICE static Accumulators of(Ints8 a, Ints8 b, Accumulators c, int sa, int sb) {
    return __builtin_amdgcn_mfma_scale_f32_16x16x128_f8f6f4(a, b, c, kFormat, kFormat, 0, sa, 0, sb);
  }
};
template <>
struct Mfma<Gfx950MfmaMxf8E4m3F32> : ScaledMfma<0> {};
template <>
struct Mfma<Gfx950MfmaMxf4F32> : ScaledMfma<4> {};
#endif
#undef SIMT_MFMA
#undef SIMT_MFMA_OF_INTEGERS

/// d = A * B^T + d by one instruction, for all lanes of a wave together. Traps if the instruction belongs to another architecture.
template <class U, int kWarp>
SIMT_DEVICE void mma(Tile<U, kWarp>& d, const Operands& x) {
  if constexpr (Mfma<U>::kHere) {
    const int line = simt::thread() % 16, quarter = simt::thread() / 16;
    using Words = typename Mfma<U>::Words;
    Words a, b;
    if constexpr (Bytes<U>::kRow == 128) {
      a = two_parts_of<Words>(x.a + line * x.a_pitch);
      b = two_parts_of<Words>(x.b + line * x.b_pitch);
    } else {
      a = part_of<Words>(x.a + line * x.a_pitch, Bytes<U>::kRow / 4);
      b = part_of<Words>(x.b + line * x.b_pitch, Bytes<U>::kColumn / 4);
    }
    int sa = 0, sb = 0;
    if constexpr (Bytes<U>::kScales != 0) sa = x.sfa[line * x.sfa_pitch + quarter], sb = x.sfb[line * x.sfb_pitch + quarter];
    decltype(Mfma<U>::of(a, b, {}, 0, 0)) sums;
    __builtin_memcpy(&sums, d.at, sizeof sums);
    sums = Mfma<U>::of(a, b, sums, sa, sb);
    __builtin_memcpy(d.at, &sums, sizeof sums);
  } else {
    __builtin_trap();
  }
}

}  // namespace assay_kernels::units
