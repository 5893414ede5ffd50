// mma() on the CPU: each lane emulates the instruction for its own elements.
#pragma once

#include <cstring>

#include "kernels/units/amd_units.h"
#include "kernels/units/nvidia_units.h"
#include "kernels/units/unit.h"

namespace assay_kernels::units {

/// Instructions that this build has kernels for; each list is compiled in its own source.
struct OfNvidia : Lists<Sm70Units, Sm75Units, Sm80Units, Sm86Units, Sm89Units, Sm90Units> {};
struct OfBlackwell : Lists<Sm100Units, Sm120Units> {};
struct OfAmd : Lists<Gfx90aUnits, Gfx942Units, Gfx950Units> {};
struct UnknownOfAmd : Lists<Gfx950Candidates> {};  ///< stand-ins for instructions whose accumulation is undocumented

/// Number of threads that call mma() together.
template <class U, int kWarp>
inline constexpr int kThreads = kWarp;

/// A thread's part of a tile of codes of U::D.
template <class U, int kWarp>
struct Tile {
  static constexpr int kElements = U::kM * U::kN / kWarp;
  uint32_t at[kElements];
  static int row(int i) { return (simt::thread() + i * kWarp) / U::kN; }
  static int column(int i) { return (simt::thread() + i * kWarp) % U::kN; }
};

/// Table of number_of() for every code of a format with at most eight bits.
template <class F>
struct NumberTable {
  Number of[1 << F::kBits];
  NumberTable() {
    for (uint32_t code = 0; code < 1u << F::kBits; ++code) of[code] = number_of<F>(code);
  }
};

/// A decoded operand row: one value per k, and its scales.
template <class U, class F>
struct Row {
  Number number[U::kK];
  Number scale[Bytes<U>::kScales + 1];

  void read(const uint8_t* codes, const uint8_t* scales) {
    if constexpr (F::kBits <= 8) {
      static const NumberTable<F> table;
      for (int k = 0; k < U::kK; ++k) number[k] = U::template factor<F>(table.of[code_at<F>(codes, k)], k);
    } else {
      for (int k = 0; k < U::kK; ++k) number[k] = U::template factor<F>(number_of<F>(code_at<F>(codes, k)), k);
    }
    if constexpr (BlockOf<U>::value != 0)
      for (int s = 0; s < Bytes<U>::kScales; ++s) scale[s] = number_of<typename U::Scale>(scales[s]);
  }
};

/// True if two rows of a have the same codes and scales.
template <class U>
bool same_rows(const Operands& x, int row, int other) {
  return std::memcmp(x.a + row * x.a_pitch, x.a + other * x.a_pitch, Bytes<U>::kRow) == 0 &&
         (Bytes<U>::kScales == 0 || std::memcmp(x.sfa + row * x.sfa_pitch, x.sfa + other * x.sfa_pitch, Bytes<U>::kScales) == 0);
}

/// d = A * B^T + d by one instruction, for all threads of a warp together. Equal codes, scales and c give equal bits, so they are
/// not computed again: a tile's rows beyond the matrix are all zero.
template <class U, int kWarp>
void mma(Tile<U, kWarp>& d, const Operands& x) {
  simt::cpu::exchange(0, simt::cpu::kMatrix);
  using D = typename U::D;
  Row<U, typename U::A> a;
  Row<U, typename U::B> b;
  int row = -1, column = -1;
  uint32_t before = 0, after = 0;  // accumulator before and after, of the element that was computed last
  for (int i = 0; i < Tile<U, kWarp>::kElements; ++i) {
    const bool same_row = row >= 0 && (d.row(i) == row || same_rows<U>(x, d.row(i), row));
    if (same_row && d.column(i) == column && d.at[i] == before) {
      d.at[i] = after;
      continue;
    }
    if (!same_row) {
      row = d.row(i);
      a.read(x.a + row * x.a_pitch, x.sfa + row * x.sfa_pitch);
    }
    if (d.column(i) != column) {
      column = d.column(i);
      b.read(x.b + column * x.b_pitch, x.sfb + column * x.sfb_pitch);
    }
    before = d.at[i];
    const uint32_t c = U::template addend<D>(before);
    after = d.at[i] = U::template result<D>(U::template element<U>(a.number, b.number, a.scale, b.scale, c));
  }
}

}  // namespace assay_kernels::units
