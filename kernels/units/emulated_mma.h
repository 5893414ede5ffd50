// mma() on the CPU: lanes emulate the unit, each its own elements.
#pragma once

#include "kernels/units/amd.h"
#include "kernels/units/blackwell.h"
#include "kernels/units/nvidia.h"
#include "kernels/units/tile.h"

namespace assay_kernels::units {

/// Units that this build has kernels for, a source each.
struct OfNvidia : Lists<Sm70Units, Sm75Units, Sm80Units, Sm86Units, Sm89Units, Sm90Units> {};
struct OfBlackwell : Lists<Sm100Units, Sm120Units> {};
struct OfAmd : Lists<Gfx90aUnits, Gfx942Units> {};

/// Threads that call mma() together.
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

/// What the emulator reads of one operand: a number for each k, and those of its scales.
template <class U, class F>
struct Row {
  Number number[U::kK];
  Number scale[Bytes<U>::kScales + 1];

  void read(const uint8_t* codes, const uint8_t* scales) {
    for (int k = 0; k < U::kK; ++k) number[k] = U::template factor<F>(number_of<F>(code_at<F>(codes, k)), k);
    if constexpr (BlockOf<U>::value != 0)
      for (int s = 0; s < Bytes<U>::kScales; ++s) scale[s] = number_of<typename U::Scale>(scales[s]);
  }
};

/// d = A * B^T + d by one instruction, for all threads of a warp together.
template <class U, int kWarp>
void mma(Tile<U, kWarp>& d, const Operands& x) {
  simt::cpu::exchange(0, simt::cpu::kMatrix);
  using D = typename U::D;
  Row<U, typename U::A> a;
  Row<U, typename U::B> b;
  int row = -1, column = -1;
  for (int i = 0; i < Tile<U, kWarp>::kElements; ++i) {
    if (d.row(i) != row) {
      row = d.row(i);
      a.read(x.a + row * x.a_pitch, x.sfa + row * x.sfa_pitch);
    }
    if (d.column(i) != column) {
      column = d.column(i);
      b.read(x.b + column * x.b_pitch, x.sfb + column * x.sfb_pitch);
    }
    const uint32_t c = U::template addend<D>(d.at[i]);
    d.at[i] = U::template result<D>(U::template element<U>(a.number, b.number, a.scale, b.scale, c));
  }
}

}  // namespace assay_kernels::units
