// mma() on NVIDIA GPUs: the instruction itself, by inline PTX. sm_90 has been run; sm_100 and sm_120 are compiled and their
// opcodes counted.
#pragma once

#include "kernels/units/blackwell.h"
#include "kernels/units/nvidia.h"
#include "kernels/units/tile.h"

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

/// The chip that code is compiled for now; 0 for the host and for others. Instructions of Hopper and later belong to one chip
/// alone.
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

/// A thread's part of a tile: two neighbours of a row, and of one eight rows below (PTX ISA, fragments of m16n8 and of wgmma's
/// D).
template <class U, int kWarp>
struct Tile {
  static constexpr int kElements = U::kM * U::kN / U::kDeviceThreads;
  uint32_t at[kElements];
  SIMT_DEVICE static int row(int i) { return simt::thread() / 32 * 16 + simt::thread() % 32 / 4 + (i & 2 ? 8 : 0) + i / 4 * 64; }
  SIMT_DEVICE static int column(int i) { return simt::thread() % 4 * 2 + (i & 1); }
};

SIMT_DEVICE uint32_t word_at(const uint8_t* bytes) { return *reinterpret_cast<const uint32_t*>(bytes); }

/// Codes of f16 as the registers that hold two of them, and back.
struct Halves {
  uint32_t at[2];
  SIMT_DEVICE explicit Halves(const uint32_t (&codes)[4]) : at{codes[0] | codes[1] << 16, codes[2] | codes[3] << 16} {}
  SIMT_DEVICE void store(uint32_t (&codes)[4]) const {
    for (int i = 0; i < 4; ++i) codes[i] = at[i / 2] >> (16 * (i & 1)) & 0xffffu;
  }
};

}  // namespace assay_kernels::units

#include "kernels/units/cuda_mma_sync.h"
#include "kernels/units/cuda_tcgen05.h"
#include "kernels/units/cuda_wgmma.h"

namespace assay_kernels::units {

/// d = A * B^T + d by one instruction, for all threads that kThreads counts together. A unit of another chip ends the kernel.
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
