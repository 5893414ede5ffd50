// Kinds of tensor core instructions, lists of them, and the tile that mma() works on. A "unit" is a struct that describes an
// instruction: its operand and result types, and the steps in which it accumulates.
#pragma once

#include <type_traits>

#include "kernels/units/accumulation.h"

namespace assay_kernels::units {

/// Rows and columns of one instruction's result, and the threads that execute it together.
template <int kRows, int kColumns, int kThreadsOfDevice>
struct TileOf {
  static constexpr int kM = kRows, kN = kColumns, kDeviceThreads = kThreadsOfDevice;
};
struct QuadPairTile : TileOf<8, 8, 8> {};  ///< a warp computes four of these
struct MmaTile : TileOf<16, 8, 32> {};
struct WgmmaTile : TileOf<64, 8, 128> {};
struct Tcgen05Tile : TileOf<64, 8, 128> {};     ///< the smallest tile of the instruction
struct Tcgen05MxTile : TileOf<128, 8, 128> {};  ///< with scales, the smallest tile has 128 rows
struct MfmaTile : TileOf<16, 16, 64> {};

/// The only NaN that NVIDIA's instructions return.
template <class D>
inline constexpr uint32_t kNvidiaNan = D::kBits == 16 ? 0x7fffu : 0x7fffffffu;

/// f32 results are truncated to 23 fraction bits, or to kFraction bits if that is fewer. f16 results are rounded to nearest.
template <class Tile, class FormatA, class FormatB, class FormatD, int kProducts, int kTaken, int kFractionBits,
          int kLeastOf = kNoExponent>
struct AlignedUnit : Aligned, Tile {
  using A = FormatA;
  using B = FormatB;
  using D = FormatD;
  static constexpr int kK = kProducts, kTake = kTaken, kFraction = kFractionBits, kLeast = kLeastOf;
  static constexpr int kResult = kFractionBits < D::kMantissa ? kFractionBits : D::kMantissa;
  static constexpr Rounding kRounding = D::kBits == 16 ? Rounding::kNearest : Rounding::kTowardZero;
  static constexpr uint32_t kNan = kNvidiaNan<D>;
};

/// The hardware lacks this instruction: codes are converted to fp16, two fp16 instructions add the interleaved halves of k, and c is added at the end.
template <class FormatA, class FormatB, class FormatD, int kLeastOf = kNoExponent>
struct UnpackedMma : AlignedUnit<MmaTile, FormatA, FormatB, FormatD, 32, 16, 25, kLeastOf> {
  static constexpr int kPeriod = 4, kWidth = 2;
  static constexpr bool kAddsCLast = true;
  static constexpr bool kUnpackedByKernel = false;  ///< false: the compiler, not the kernel, makes the two fp16 instructions

  /// An operand of type F, converted to fp16 as the two fp16 instructions read it.
  template <class F>
  SIMT_DEVICE static Number factor(Number read, int /*k*/) {
    return number_in<F, F16>(read);
  }
};

/// MXFP8 instructions.
template <class Tile, class FormatA, class FormatB>
struct ScaledUnit : AlignedUnit<Tile, FormatA, FormatB, F32, 32, 32, 25, -133> {
  using Scale = E8m0;
  static constexpr int kScaleBlock = 32;
};

/// MXFP4 and NVFP4 instructions.
template <class Tile, class FormatOfScale, int kBlock>
struct GroupedUnit : Grouped, Tile {
  using A = E2m1;
  using B = E2m1;
  using D = F32;
  using Scale = FormatOfScale;
  static constexpr int kK = 64, kScaleBlock = kBlock, kFraction = 35, kResult = 23;
  static constexpr uint32_t kNan = kNvidiaNan<D>;
};

template <class Tile>
struct IntegerUnit : Integers, Tile {
  using A = Int8;
  using B = Int8;
  using D = Int32;
  static constexpr int kK = 32;
};

/// Common properties of AMD's MFMA instructions.
template <class FormatA, class FormatB, int kProducts>
struct MfmaUnit : MfmaTile {
  using A = FormatA;
  using B = FormatB;
  using D = F32;
  static constexpr int kK = kProducts, kResult = 23;
  static constexpr uint32_t kNan = 0x7fc00000u;
};
template <class Format, int kProducts, int kTaken>
struct TreeUnit : Tree, MfmaUnit<Format, Format, kProducts> {
  static constexpr int kTake = kTaken;
};
template <class Format, int kProducts, int kTaken, int kLimit = 0>
struct JoinedUnit : Joined, MfmaUnit<Format, Format, kProducts> {
  static constexpr int kTake = kTaken, kProductLimit = kLimit;
};
template <class FormatA, class FormatB>
struct SplitUnit : Joined, MfmaUnit<FormatA, FormatB, 32> {
  static constexpr int kTake = 16, kSplits = 2, kDropsC = 25;
};
/// Aligns and adds c and kTake products at a time, with 40 fraction bits. Each sum is rounded to nearest and is the next c.
template <class Format, int kProducts, int kTaken>
struct WideSumUnit : Aligned, MfmaUnit<Format, Format, kProducts> {
  static constexpr int kTake = kTaken, kFraction = 40;
  static constexpr Rounding kRounding = Rounding::kNearest;
};
/// An instruction whose accumulation is undocumented: it can be executed, but not emulated.
template <class FormatA, class FormatB, int kProducts, int kBlock = 0>
struct UnknownUnit : MfmaUnit<FormatA, FormatB, kProducts> {
  using Scale = E8m0;
  static constexpr int kScaleBlock = kBlock;
};

template <class... Units>
struct List {
  /// Calls f(unit) for each unit of the list.
  template <class Call>
  static void for_each([[maybe_unused]] Call f) {
    (f(Units{}), ...);
  }
};

template <class... Several>
struct Lists {
  template <class Call>
  static void for_each([[maybe_unused]] Call f) {
    (Several::for_each(f), ...);
  }
};

// The data that mma() works on: a tile of accumulators spread over threads, and operands in memory.

/// Operands of one instruction, k innermost: pointers to row 0, and row pitches in bytes. They may be in any memory that all threads can
/// read; on a device, rows must be aligned to 16 bytes. Every kScaleBlock elements of a row share one scale byte.
struct Operands {
  const uint8_t *a, *b;
  int64_t a_pitch, b_pitch;
  const uint8_t *sfa = nullptr, *sfb = nullptr;
  int64_t sfa_pitch = 0, sfb_pitch = 0;
};

/// Elements along k that share a scale; 0: the instruction takes no scales.
template <class U, class = void>
struct BlockOf {
  static constexpr int value = 0;
};
template <class U>
struct BlockOf<U, std::enable_if_t<(U::kScaleBlock > 0)>> {
  static constexpr int value = U::kScaleBlock;
};

/// Sizes of an instruction's operands in memory.
template <class U>
struct Bytes {
  static constexpr int kRow = U::kK * U::A::kMemoryBits / 8, kColumn = U::kK * U::B::kMemoryBits / 8;
  static constexpr int kScales = BlockOf<U>::value == 0 ? 0 : U::kK / (BlockOf<U>::value == 0 ? 1 : BlockOf<U>::value);
};

}  // namespace assay_kernels::units
