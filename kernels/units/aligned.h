// Units that align what they add: each term loses what lies too far below the largest exponent, the rest is added exactly.
#pragma once

#include "kernels/units/formats.h"

namespace assay_kernels::units {

/// No number has so low an exponent, and no difference from it overflows.
inline constexpr int kNoExponent = -(1 << 20);

/// What a unit of this kind says of itself, and what may be mistaken in it.
struct Aligned {
  static constexpr int kPeriod = 0, kWidth = 0;  ///< first the products whose k mod kPeriod is below kWidth, then the next
  static constexpr int kLeast = kNoExponent;     ///< the largest exponent is at least this
  static constexpr bool kAddsCLast = false;      ///< an instruction begins with 0; c is added at its end, to the nearest
  static constexpr int kScaleBlock = 0;          ///< neighbours in k that share a scale; 0: no scales
  static constexpr Rounding kRounding = Rounding::kTowardZero;

  /// The exponent that a product is aligned by.
  SIMT_DEVICE static int exponent(const Number& a, const Number& b) { return a.exponent + b.exponent; }
  /// Whether a term takes part in the largest exponent.
  SIMT_DEVICE static bool counts(int64_t term) { return term != 0; }
  /// What is left of a term `below` bits under the last one that is kept.
  SIMT_DEVICE static int64_t cut(int64_t term, int below) {
    const int64_t left = below > 62 ? 0 : (term < 0 ? -term : term) >> below;
    return term < 0 ? -left : left;
  }
  /// The code of a zero; `all_negative`: no term was of the other sign, zeros counted by theirs.
  template <class D>
  SIMT_DEVICE static uint32_t zero(bool /*all_negative*/) {
    return 0;
  }
  /// What an instruction makes of a factor, of its c and of its result before anything else is done with them.
  template <class F>
  SIMT_DEVICE static Number factor(Number read, int /*k*/) {
    return read;
  }
  template <class D>
  SIMT_DEVICE static uint32_t addend(uint32_t c) {
    return c;
  }
  template <class D>
  SIMT_DEVICE static uint32_t result(uint32_t d) {
    return d;
  }
  template <class U>
  SIMT_DEVICE static uint32_t nan(const Number* /*a*/, const Number* /*b*/, int /*count*/, uint32_t /*c*/) {
    return U::kNan;
  }

  template <class U>
  SIMT_DEVICE static uint32_t element(const Number* a, const Number* b, const Number* sfa, const Number* sfb, uint32_t c);
};

/// The sum of terms of which at least one is no number.
struct SpecialSum {
  bool any = false, nan = false, positive = false, negative = false;

  SIMT_DEVICE void add_infinity(bool minus) {
    any = true;
    (minus ? negative : positive) = true;
  }
  SIMT_DEVICE void add(const Number& c) {
    if (c.kind == Number::kNan) any = nan = true;
    if (c.kind == Number::kInfinite) add_infinity(c.negative);
  }
  SIMT_DEVICE void add(const Number& a, const Number& b) {
    if (a.kind == Number::kFinite && b.kind == Number::kFinite) return;
    const bool zero = (a.kind == Number::kFinite && a.significand == 0) || (b.kind == Number::kFinite && b.significand == 0);
    if (zero || a.kind == Number::kNan || b.kind == Number::kNan)
      any = nan = true;
    else
      add_infinity(a.negative != b.negative);
  }
  SIMT_DEVICE bool is_nan() const { return nan || (positive && negative); }
};

/// A number times a scale that is a power of two.
SIMT_DEVICE Number scaled(Number x, const Number& scale) {
  x.exponent = int16_t(x.exponent + scale.exponent);
  if (scale.kind == Number::kNan) x.kind = Number::kNan;
  return x;
}

/// One aligned sum of kTake products and c.
template <class U>
SIMT_DEVICE uint32_t aligned_block(const Number* a, const Number* b, uint32_t c_code) {
  using D = typename U::D;
  constexpr int kProductBits = U::A::kMantissa + U::B::kMantissa;
  constexpr int kUp = U::kFraction > kProductBits ? U::kFraction - kProductBits : 0;
  constexpr int kDown = U::kFraction < kProductBits ? kProductBits - U::kFraction : 0;
  const Number c = number_of<D>(c_code);
  SpecialSum special;
  special.add(c);
  int64_t product[U::kTake];
  int exponent[U::kTake], largest = U::kLeast;
  bool all_negative = c.negative;
  for (int i = 0; i < U::kTake; ++i) {
    special.add(a[i], b[i]);
    product[i] = int64_t{a[i].significand} * b[i].significand;
    exponent[i] = a[i].exponent + b[i].exponent;
    all_negative = all_negative && a[i].negative != b[i].negative;
    if (U::counts(product[i]) && U::exponent(a[i], b[i]) > largest) largest = U::exponent(a[i], b[i]);
  }
  if (special.any) return special.is_nan() ? U::template nan<U>(a, b, U::kTake, c_code) : infinity<D>(special.negative);
  if (U::counts(c.significand) && c.exponent > largest) largest = c.exponent;

  int64_t sum = 0;
  for (int i = 0; i < U::kTake; ++i) sum += U::cut(product[i] * (int64_t{1} << kUp), largest - exponent[i] + kDown);
  constexpr int kCUp = U::kFraction > D::kMantissa ? U::kFraction - D::kMantissa : 0;
  constexpr int kCDown = U::kFraction < D::kMantissa ? D::kMantissa - U::kFraction : 0;
  sum += U::cut(int64_t{c.significand} * (int64_t{1} << kCUp), largest - c.exponent + kCDown);
  const uint32_t code = rounded<D, U::kResult>(sum < 0, uint64_t(sum < 0 ? -sum : sum), largest - U::kFraction, U::kRounding);
  return code == 0 ? U::template zero<D>(all_negative) : code;
}

/// x + y, rounded once to the nearest, as an addition of IEEE 754 in F; any NaN for one.
template <class F>
SIMT_DEVICE uint32_t added(uint32_t x_code, uint32_t y_code) {
  const Number x = number_of<F>(x_code), y = number_of<F>(y_code);
  SpecialSum special;
  special.add(x);
  special.add(y);
  if (special.any) return special.is_nan() ? infinity<F>(false) | 1u : infinity<F>(special.negative);
  if (x.significand == 0 && y.significand == 0) return x.negative && y.negative ? F::kSign : 0u;
  const Number &high = x.exponent >= y.exponent ? x : y, &low = x.exponent >= y.exponent ? y : x;
  // Bits further apart than this meet only in the question on which side of a tie the sum lies: one bit answers it.
  constexpr int kRoom = 30;
  const int apart = high.exponent - low.exponent, near = apart < kRoom ? apart : kRoom;
  int64_t small = low.significand;
  if (apart > near) small = small < 0 ? -1 : small > 0 ? 1 : 0;
  const int64_t sum = int64_t{high.significand} * (int64_t{1} << near) + small;
  const uint32_t code =
      rounded<F>(sum < 0, uint64_t(sum < 0 ? -sum : sum), high.exponent - F::kMantissa - near, Rounding::kNearest);
  return sum < 0 ? code | F::kSign : code;
}

template <class U>
SIMT_DEVICE uint32_t Aligned::element(const Number* a, const Number* b, const Number* sfa, const Number* sfb, uint32_t c) {
  using D = typename U::D;
  constexpr int kRuns = U::kPeriod == 0 ? 1 : U::kPeriod / (U::kWidth == 0 ? 1 : U::kWidth), kRun = U::kK / kRuns;
  Number x[U::kTake], y[U::kTake];
  uint32_t d = U::kAddsCLast ? 0u : c;
  for (int first = 0; first < U::kK; first += U::kTake) {
    for (int i = 0; i < U::kTake; ++i) {
      int k = first + i;
      if constexpr (U::kPeriod != 0) k = k % kRun / U::kWidth * U::kPeriod + k / kRun * U::kWidth + k % U::kWidth;
      x[i] = a[k], y[i] = b[k];
      if constexpr (U::kScaleBlock != 0)
        x[i] = scaled(x[i], sfa[k / U::kScaleBlock]), y[i] = scaled(y[i], sfb[k / U::kScaleBlock]);
    }
    d = aligned_block<U>(x, y, d);
  }
  if (!U::kAddsCLast) return d;
  const uint32_t sum = added<D>(c, d);
  return number_of<D>(sum).kind == Number::kNan ? U::template nan<U>(x, y, U::kTake, c) : sum;
}

}  // namespace assay_kernels::units
