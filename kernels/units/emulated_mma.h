// mma() on the CPU: each lane emulates the instruction for its own elements.
#pragma once

#include <cstddef>
#include <cstring>
#include <type_traits>
#include <vector>

#include "kernels/units/amd_units.h"
#include "kernels/units/nvidia_units.h"
#include "kernels/units/unit.h"

namespace assay_kernels::units {

/// Instructions that this build has kernels for; each list is compiled in its own source.
struct OfNvidia : Lists<Sm70Units, Sm75Units, Sm80Units, Sm86Units, Sm89Units, Sm90Units> {};
struct OfBlackwell : Lists<Sm100Units, Sm120Units> {};
struct OfAmd : Lists<Gfx90aUnits, Gfx942Units, Gfx950Units> {};
struct UnknownOfAmd : Lists<Gfx950Candidates> {};  ///< candidate models of instructions whose accumulation is undocumented

/// Number of threads that call mma() together.
template <class U, int kWarp>
inline constexpr int kThreads = kWarp;

/// The elements of a tile that one thread holds, as codes of U::D.
template <class U, int kWarp>
struct Tile {
  static constexpr int kElements = U::kM * U::kN / kWarp;
  uint32_t at[kElements];
  static int row(int i) { return row_of(simt::thread(), i); }
  static int column(int i) { return column_of(simt::thread(), i); }
  static int row_of(int thread, int i) { return (thread + i * kWarp) / U::kN; }
  static int column_of(int thread, int i) { return (thread + i * kWarp) % U::kN; }
};

/// True if the first kBytes bytes of x and y are equal. For few bytes, this is faster than a call of memcmp().
template <int kBytes>
inline bool same_bytes(const uint8_t* x, const uint8_t* y) {
  constexpr int kWord = sizeof(uint64_t);
  uint64_t differences = 0;
  for (int i = 0; i + kWord <= kBytes; i += kWord) {
    uint64_t one, other;
    std::memcpy(&one, x + i, kWord);
    std::memcpy(&other, y + i, kWord);
    differences |= one ^ other;
  }
  for (int i = kBytes / kWord * kWord; i < kBytes; ++i) differences |= uint64_t(x[i] ^ y[i]);
  return differences == 0;
}

/// Table of number_of() for every code of a format with at most eight bits.
template <class F>
struct NumberTable {
  Number of[1 << F::kBits];
  NumberTable() {
    for (uint32_t code = 0; code < 1u << F::kBits; ++code) of[code] = number_of<F>(code);
  }
};

/// True if an instruction changes only constants of Aligned, and none of its functions: element_of() then uses a faster method.
template <class U>
constexpr bool is_plain() {
  using D = typename U::D;
  if constexpr (std::is_base_of_v<Grouped, U> || std::is_base_of_v<Joined, U> || std::is_base_of_v<Tree, U> ||
                std::is_base_of_v<Integers, U>) {
    return false;
  } else {
    return U::kFraction <= 29 && &U::template element<U> == &Aligned::template element<U> && &U::exponent == &Aligned::exponent &&
           &U::counts == &Aligned::counts && &U::cut == &Aligned::cut && &U::template zero<D> == &Aligned::template zero<D>;
  }
}

/// A decoded row of an operand: one value per k, and the row's scales.
template <class U, class F>
struct Row {
  Number number[U::kK];
  Number scale[Bytes<U>::kScales + 1];
  // only if is_plain(): the values times their scales, in the order in which the aligned sums take them
  int32_t significand[U::kK], exponent[U::kK];
  bool special;  ///< some value is NaN or Inf

  void read(const uint8_t* codes, const uint8_t* scales) {
    if constexpr (F::kBits <= 8) {
      static const NumberTable<F> table;
      for (int k = 0; k < U::kK; ++k) number[k] = U::template factor<F>(table.of[code_at<F>(codes, k)], k);
    } else {
      for (int k = 0; k < U::kK; ++k) number[k] = U::template factor<F>(number_of<F>(code_at<F>(codes, k)), k);
    }
    if constexpr (BlockOf<U>::value != 0)
      for (int s = 0; s < Bytes<U>::kScales; ++s) scale[s] = number_of<typename U::Scale>(scales[s]);
    if constexpr (is_plain<U>()) put_in_order();
  }

 private:
  void put_in_order() {
    constexpr int kRuns = U::kPeriod == 0 ? 1 : U::kPeriod / (U::kWidth == 0 ? 1 : U::kWidth), kRun = U::kK / kRuns;
    special = false;
    for (int i = 0; i < U::kK; ++i) {
      int k = i;
      if constexpr (U::kPeriod != 0) k = i % kRun / U::kWidth * U::kPeriod + i / kRun * U::kWidth + i % U::kWidth;
      Number x = number[k];
      if constexpr (BlockOf<U>::value != 0) x = scaled(x, scale[k / BlockOf<U>::value]);
      significand[i] = x.significand, exponent[i] = x.exponent;
      special = special || x.kind != Number::kFinite;
    }
  }
};

/// Adds kTake products, aligned to their largest exponent or to `largest`, whichever is larger. Sets `largest` to the larger one.
/// Each product is shifted left by kUp bits, then right by kDown plus the distance of its exponent from the largest one.
template <int kTake, int kUp, int kDown, class Sum>
SIMT_WIDE_KERNEL SIMT_VECTORIZED int64_t aligned_sum(const int32_t* a, const int32_t* a_exponent, const int32_t* b, const int32_t* b_exponent,
                                     int& largest) {
  int32_t product[kTake], exponent[kTake], most = largest;
  SIMT_LANES
  for (int i = 0; i < kTake; ++i) {
    product[i] = a[i] * b[i];
    exponent[i] = a_exponent[i] + b_exponent[i];
    const int32_t counted = product[i] != 0 ? exponent[i] : kNoExponent;
    most = counted > most ? counted : most;
  }
  Sum sum = 0;
  SIMT_LANES
  for (int i = 0; i < kTake; ++i) {
    const auto below = uint32_t(most + kDown - exponent[i]);  // its value does not matter if the product is zero
    const uint32_t magnitude = uint32_t(product[i] < 0 ? -product[i] : product[i]) << kUp;
    const auto left = int32_t(magnitude >> (below < 31u ? below : 31u));  // magnitudes are below 2^31
    sum += product[i] < 0 ? -left : left;
  }
  largest = most;
  return sum;
}

/// One element of the result. If the instruction is plain and the values are finite, a faster method gives the same result.
template <class U>
uint32_t element_of(const Row<U, typename U::A>& a, const Row<U, typename U::B>& b, uint32_t c_code) {
  const auto by_steps = [&] { return U::template element<U>(a.number, b.number, a.scale, b.scale, c_code); };
  if constexpr (!is_plain<U>()) {
    return by_steps();
  } else {
    using D = typename U::D;
    constexpr int kProductBits = U::A::kMantissa + U::B::kMantissa;
    constexpr int kUp = U::kFraction > kProductBits ? U::kFraction - kProductBits : 0;
    constexpr int kDown = U::kFraction < kProductBits ? kProductBits - U::kFraction : 0;
    constexpr int kCUp = U::kFraction > D::kMantissa ? U::kFraction - D::kMantissa : 0;
    constexpr int kCDown = U::kFraction < D::kMantissa ? D::kMantissa - U::kFraction : 0;
    static_assert(kProductBits + kUp + 2 <= 31);
    using Sum = std::conditional_t<(int64_t{U::kTake} << (kProductBits + kUp + 2)) <= int64_t{1} << 31, int32_t, int64_t>;
    if (a.special || b.special || number_of<D>(c_code).kind != Number::kFinite) return by_steps();
    uint32_t d = U::kAddsCLast ? 0u : c_code;
    for (int first = 0; first < U::kK; first += U::kTake) {
      const Number c = number_of<D>(d);
      if (c.kind != Number::kFinite) return by_steps();  // c is not finite, because the previous aligned sum overflowed
      int largest = U::kLeast;
      if (c.significand != 0 && c.exponent > largest) largest = c.exponent;
      int64_t sum = aligned_sum<U::kTake, kUp, kDown, Sum>(a.significand + first, a.exponent + first, b.significand + first,
                                                           b.exponent + first, largest);
      sum += U::cut(int64_t{c.significand} * (int64_t{1} << kCUp), largest - c.exponent + kCDown);
      d = rounded<D, U::kResult>(sum < 0, uint64_t(sum < 0 ? -sum : sum), largest - U::kFraction, U::kRounding);
    }
    if (!U::kAddsCLast) return d;
    const uint32_t sum = added<D>(c_code, d);
    return number_of<D>(sum).kind == Number::kNan ? by_steps() : sum;
  }
}

/// Decoded operand rows that the lanes of a warp share. A row is decoded again if its bytes have changed.
template <class U, class F, int kRows, int kBytes>
class DecodedRows {
 public:
  const Row<U, F>& of(int row, const uint8_t* codes, const uint8_t* scales) {
    Decoded& kept = rows_[row % kRows];
    constexpr int kScales = Bytes<U>::kScales;
    if (kept.is_filled && same_bytes<kBytes>(kept.codes, codes) && same_bytes<kScales>(kept.scales, scales)) return kept.row;
    std::memcpy(kept.codes, codes, kBytes);
    if (kScales != 0) std::memcpy(kept.scales, scales, kScales);
    kept.row.read(codes, scales);
    kept.is_filled = true;
    return kept.row;
  }

 private:
  struct Decoded {
    bool is_filled;
    uint8_t codes[kBytes], scales[Bytes<U>::kScales + 1];
    Row<U, F> row;
  };
  Decoded rows_[kRows];
};

template <class U, int kRowsOfA, int kRowsOfB>
struct DecodedOperands {
  DecodedRows<U, typename U::A, kRowsOfA, Bytes<U>::kRow> a;
  DecodedRows<U, typename U::B, kRowsOfB, Bytes<U>::kColumn> b;
};

#ifndef ASSAY_SIMT_TSAN
/// Memory for the DecodedOperands of the instruction that this OS thread emulated last; `of` identifies the instruction.
struct LastOperands {
  const void* of = nullptr;
  std::vector<std::max_align_t> memory;
};
inline thread_local LastOperands last_operands;

template <class U>
DecodedOperands<U, U::kM, U::kN>& decoded_operands() {
  using All = DecodedOperands<U, U::kM, U::kN>;
  static const char kThisType = 0;
  LastOperands& last = last_operands;
  if (last.of != &kThisType) {
    last.memory.assign((sizeof(All) + sizeof(std::max_align_t) - 1) / sizeof(std::max_align_t), {});
    last.of = &kThisType;
  }
  return *reinterpret_cast<All*>(last.memory.data());
}
#endif

/// True if two rows of `a` have the same codes and scales.
template <class U>
bool same_rows(const Operands& x, int row, int other) {
  return same_bytes<Bytes<U>::kRow>(x.a + row * x.a_pitch, x.a + other * x.a_pitch) &&
         same_bytes<Bytes<U>::kScales>(x.sfa + row * x.sfa_pitch, x.sfa + other * x.sfa_pitch);
}

/// d = A * B^T + d by one instruction, for all threads of a warp together. An element with the same codes, scales and c as the
/// element before it is copied, not computed again. This is frequent, because a tile's rows beyond the matrix are all zero.
template <class U, int kWarp>
void mma(Tile<U, kWarp>& d, const Operands& x) {
  simt::cpu::exchange(0, simt::cpu::kMatrix);
  using D = typename U::D;
#ifdef ASSAY_SIMT_TSAN
  DecodedOperands<U, 1, 1> decoded{};  // a lane cannot share its rows with others without a barrier
#else
  DecodedOperands<U, U::kM, U::kN>& decoded = decoded_operands<U>();
#endif
  const int thread = simt::thread();
  int row = -1, column = -1;
  uint32_t before = 0, after = 0;  // accumulator before and after, for the element that was computed last
  for (int i = 0; i < Tile<U, kWarp>::kElements; ++i) {
    const int its_row = d.row_of(thread, i), its_column = d.column_of(thread, i);
    const bool same_row = row >= 0 && (its_row == row || same_rows<U>(x, its_row, row));
    if (same_row && its_column == column && d.at[i] == before) {
      d.at[i] = after;
      continue;
    }
    if (!same_row) row = its_row;
    column = its_column;
    before = d.at[i];
    const uint32_t c = U::template addend<D>(before);
    after = d.at[i] =
        U::template result<D>(element_of<U>(decoded.a.of(row, x.a + row * x.a_pitch, x.sfa + row * x.sfa_pitch),
                                            decoded.b.of(column, x.b + column * x.b_pitch, x.sfb + column * x.sfb_pitch), c));
  }
}

}  // namespace assay_kernels::units
