// Kinds of tensor core instructions, lists of them, and the tile that mma() works on. A unit is a struct: what its instruction takes and
// gives, and the steps in which it adds.
#pragma once

#include <type_traits>

#include "kernels/units/accumulation.h"

namespace assay_kernels::units {

/// Rows and columns that one instruction makes, and the threads that make it together.
template <int kRows, int kColumns, int kThreadsOfDevice>
struct TileOf {
  static constexpr int kM = kRows, kN = kColumns, kDeviceThreads = kThreadsOfDevice;
};
struct QuadPairTile : TileOf<8, 8, 8> {};  ///< a warp makes four of them
struct MmaTile : TileOf<16, 8, 32> {};
struct WgmmaTile : TileOf<64, 8, 128> {};
struct Tcgen05Tile : TileOf<64, 8, 128> {};     ///< the smallest that the instruction has
struct Tcgen05MxTile : TileOf<128, 8, 128> {};  ///< with scales it has 128 rows at least
struct MfmaTile : TileOf<16, 16, 64> {};

/// The one NaN that NVIDIA's units return.
template <class D>
inline constexpr uint32_t kNvidiaNan = D::kBits == 16 ? 0x7fffu : 0x7fffffffu;

/// f32 is cut off, after as many bits as the sum has if those are fewer; f16 is rounded.
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

/// No instruction of its own: two of f16 on interleaved halves of k, and an addition.
template <class FormatA, class FormatB, class FormatD, int kLeastOf = kNoExponent>
struct UnpackedMma : AlignedUnit<MmaTile, FormatA, FormatB, FormatD, 32, 16, 25, kLeastOf> {
  static constexpr int kPeriod = 4, kWidth = 2;
  static constexpr bool kAddsCLast = true;
  static constexpr bool kUnpackedByKernel = false;  ///< else the compiler makes two instructions of one

  /// What the instructions of f16 read of it.
  template <class F>
  SIMT_DEVICE static Number factor(Number read, int /*k*/) {
    return number_in<F, F16>(read);
  }
};

/// MXFP8.
template <class Tile, class FormatA, class FormatB>
struct ScaledUnit : AlignedUnit<Tile, FormatA, FormatB, F32, 32, 32, 25, -133> {
  using Scale = E8m0;
  static constexpr int kScaleBlock = 32;
};

/// MXFP4 and NVFP4.
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

/// What AMD's have in common.
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
/// Products and c added without a loss that f32 could show, a block at a time, and rounded to the nearest.
template <class Format, int kProducts, int kTaken>
struct WideSumUnit : Aligned, MfmaUnit<Format, Format, kProducts> {
  static constexpr int kTake = kTaken, kFraction = 40;
  static constexpr Rounding kRounding = Rounding::kNearest;
};
/// Of which nobody has said how it adds: there is an instruction, and nothing to emulate it by.
template <class FormatA, class FormatB, int kProducts, int kBlock = 0>
struct UnknownUnit : MfmaUnit<FormatA, FormatB, kProducts> {
  using Scale = E8m0;
  static constexpr int kScaleBlock = kBlock;
};

template <class... Units>
struct List {
  /// Calls f(unit) for each.
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

// What mma() works on: a tile of accumulators spread over threads, and operands in memory.

/// Factors of one instruction, k innermost: the first k of row 0, and bytes from one row to the next. Any memory that all threads
/// can read; a device wants rows that are aligned to 16 bytes. Scales are a byte for every kScaleBlock of a row.
struct Operands {
  const uint8_t *a, *b;
  int64_t a_pitch, b_pitch;
  const uint8_t *sfa = nullptr, *sfb = nullptr;
  int64_t sfa_pitch = 0, sfb_pitch = 0;
};

/// Whether a unit has scales.
template <class U, class = void>
struct BlockOf {
  static constexpr int value = 0;
};
template <class U>
struct BlockOf<U, std::enable_if_t<(U::kScaleBlock > 0)>> {
  static constexpr int value = U::kScaleBlock;
};

/// Of an instruction's operands in memory.
template <class U>
struct Bytes {
  static constexpr int kRow = U::kK * U::A::kMemoryBits / 8, kColumn = U::kK * U::B::kMemoryBits / 8;
  static constexpr int kScales = BlockOf<U>::value == 0 ? 0 : U::kK / (BlockOf<U>::value == 0 ? 1 : BlockOf<U>::value);
};

}  // namespace assay_kernels::units
