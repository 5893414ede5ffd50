// How tensor cores accumulate, in integer arithmetic without floats: decoding of operands, and addition of products.
// Include it after kernels/simt/simt.h, which defines SIMT_DEVICE.
#pragma once

#include <cstdint>

namespace assay_kernels::units {

/// Which codes of a format are NaN or Inf, and other properties of its codes.
enum class Codes {
  kIeee,      ///< exponent all ones: Inf, or NaN if the mantissa is not zero
  kFn,        ///< NaN: all bits except the sign are ones
  kFnuz,      ///< NaN: only the sign bit is set
  kFinite,    ///< no special codes
  kScale,     ///< e8m0: no mantissa, no sign, no zero; all ones is NaN
  kUnsigned,  ///< the highest bit is ignored; all ones is NaN
  kInteger    ///< two's complement
};

template <int kBitsOfCode, int kBitsOfMantissa, int kBiasOfExponent, Codes kKindOfCodes, int kBitsInMemory = kBitsOfCode>
struct FormatOf {
  static constexpr int kBits = kBitsOfCode, kMantissa = kBitsOfMantissa, kBias = kBiasOfExponent;
  static constexpr Codes kCodes = kKindOfCodes;
  static constexpr int kMemoryBits = kBitsInMemory;  ///< bits of an element in memory; its upper bits hold a narrower code
  static constexpr int kLeast = 1 - kBias;           ///< exponent of the smallest normal value
  static constexpr uint32_t kSign = 1u << (kBits - 1);
};

using F32 = FormatOf<32, 23, 127, Codes::kIeee>;
using Tf32 = FormatOf<19, 10, 127, Codes::kIeee, 32>;
using Bf16 = FormatOf<16, 7, 127, Codes::kIeee>;
using F16 = FormatOf<16, 10, 15, Codes::kIeee>;
using E4m3 = FormatOf<8, 3, 7, Codes::kFn>;
using E5m2 = FormatOf<8, 2, 15, Codes::kIeee>;
using E4m3fnuz = FormatOf<8, 3, 8, Codes::kFnuz>;
using E5m2fnuz = FormatOf<8, 2, 16, Codes::kFnuz>;
using E2m1 = FormatOf<4, 1, 1, Codes::kFinite>;
using E8m0 = FormatOf<8, 0, 127, Codes::kScale>;
using Ue4m3 = FormatOf<8, 3, 7, Codes::kUnsigned>;
using Int8 = FormatOf<8, 7, 0, Codes::kInteger>;
using Int32 = FormatOf<32, 31, 0, Codes::kInteger>;

/// A decoded value: significand * 2^(exponent - kMantissa).
struct Number {
  enum Kind : int16_t { kFinite, kInfinite, kNan };
  int32_t significand;  ///< signed; 0 for NaN and Inf
  int16_t exponent;     ///< for subnormals and zero: the exponent of the smallest normal value
  Kind kind;
  bool negative;  ///< the sign bit, also of zero, Inf and NaN
};

template <class F>
SIMT_DEVICE Number number_of(uint32_t code) {
  if (F::kCodes == Codes::kInteger) return {F::kBits == 8 ? int32_t(int8_t(code)) : int32_t(code), 0, Number::kFinite, false};
  if (F::kCodes == Codes::kScale) return {1, int16_t(int(code) - F::kBias), code == 0xff ? Number::kNan : Number::kFinite, false};
  const uint32_t rest = code & (F::kSign - 1), fraction = rest & ((1u << F::kMantissa) - 1), field = rest >> F::kMantissa;
  const uint32_t top = (F::kSign - 1) >> F::kMantissa;  // exponent field of all ones
  const bool negative = F::kCodes != Codes::kUnsigned && (code & F::kSign) != 0;
  Number::Kind kind = Number::kFinite;
  if (F::kCodes == Codes::kIeee && field == top) kind = fraction == 0 ? Number::kInfinite : Number::kNan;
  if ((F::kCodes == Codes::kFn || F::kCodes == Codes::kUnsigned) && rest == F::kSign - 1) kind = Number::kNan;
  if (F::kCodes == Codes::kFnuz && code == F::kSign) kind = Number::kNan;
  const auto magnitude = int32_t(kind != Number::kFinite ? 0 : field == 0 ? fraction : fraction | 1u << F::kMantissa);
  return {negative ? -magnitude : magnitude, int16_t(int(field == 0 ? 1 : field) - F::kBias), kind, negative};
}

/// Converts a value of F to Wide, where a subnormal of F may be normal and then has another exponent. Zero gets Wide::kLeast.
template <class F, class Wide>
SIMT_DEVICE Number number_in(Number x) {
  if (x.significand == 0) x.exponent = Wide::kLeast;
  while (x.significand != 0 && (x.significand < 0 ? -x.significand : x.significand) >> F::kMantissa == 0 &&
         x.exponent > Wide::kLeast)
    x.significand *= 2, --x.exponent;
  return x;
}

/// Element i of a row in memory.
template <class F>
SIMT_DEVICE uint32_t code_at(const uint8_t* row, int64_t i) {
  if (F::kMemoryBits == 4) return uint32_t(row[i / 2]) >> (i % 2 * 4) & 15u;
  uint32_t word = 0;
  for (int byte = 0; byte < F::kMemoryBits / 8; ++byte) word |= uint32_t(row[i * (F::kMemoryBits / 8) + byte]) << (8 * byte);
  return word >> (F::kMemoryBits - F::kBits);
}

enum class Rounding { kTowardZero, kNearest };

/// The code in F of +-magnitude * 2^lowest, rounded to kBitsKept fraction bits to nearest (ties to even) or toward zero.
/// Overflow gives Inf. Zero is +0.
template <class F, int kBitsKept = F::kMantissa>
SIMT_DEVICE uint32_t rounded(bool negative, uint64_t magnitude, int lowest, Rounding rounding) {
  if (magnitude == 0) return 0;
  const int top = 63 - __builtin_clzll(magnitude) + lowest;
  const int exponent = top < F::kLeast ? F::kLeast : top;
  const int drop = exponent - kBitsKept - lowest;  // number of low bits to drop
  uint64_t kept = 0;
  if (drop <= 0) {
    kept = magnitude << -drop;
  } else if (drop < 64) {
    kept = magnitude >> drop;
    const uint64_t half = uint64_t{1} << (drop - 1), lost = magnitude & (2 * half - 1);
    if (rounding == Rounding::kNearest && (lost > half || (lost == half && (kept & 1)))) ++kept;
  }
  if (kept == 0) return 0;
  // The hidden bit adds one to the exponent field, and so does a carry into the next binade.
  const uint64_t code = (uint64_t(exponent - F::kLeast) << F::kMantissa) + (kept << (F::kMantissa - kBitsKept));
  const uint64_t infinity = uint64_t((F::kSign - 1) >> F::kMantissa) << F::kMantissa;
  return uint32_t(code < infinity ? code : infinity) | (negative ? F::kSign : 0u);
}

template <class F>
SIMT_DEVICE uint32_t infinity(bool negative) {
  return ((F::kSign - 1) >> F::kMantissa) << F::kMantissa | (negative ? F::kSign : 0u);
}

// Tensor cores that align terms (products and c): they drop bits more than kFraction below the largest exponent, and add the rest.

/// Lower than any exponent, yet its difference from an exponent does not overflow.
inline constexpr int kNoExponent = -(1 << 20);

/// Constants and steps of a tensor core that aligns terms. Deliberately wrong kernels change one of them.
struct Aligned {
  static constexpr int kPeriod = 0, kWidth = 0;  ///< if > 0: products with k % kPeriod < kWidth come first, then the next kWidth
  static constexpr int kLeast = kNoExponent;     ///< terms are aligned to at least this exponent
  static constexpr bool kAddsCLast = false;      ///< true: the sum starts from 0, and c is added at the end, rounded to nearest
  static constexpr int kScaleBlock = 0;          ///< elements along k that share a scale; 0: no scales
  static constexpr Rounding kRounding = Rounding::kTowardZero;

  /// The exponent by which a product is aligned.
  SIMT_DEVICE static int exponent(const Number& a, const Number& b) { return a.exponent + b.exponent; }
  /// True if the exponent of this term counts when the largest exponent is computed.
  SIMT_DEVICE static bool counts(int64_t term) { return term != 0; }
  /// Drops the lowest `below` bits of a term's magnitude. `below` is negative only for zero, whose exponent may be the largest.
  SIMT_DEVICE static int64_t cut(int64_t term, int below) {
    const int64_t left = unsigned(below) > 62u ? 0 : (term < 0 ? -term : term) >> below;
    return term < 0 ? -left : left;
  }
  /// The code of a zero sum. `all_negative`: every term has a negative sign, including zeros.
  template <class D>
  SIMT_DEVICE static uint32_t zero(bool /*all_negative*/) {
    return 0;
  }
  /// factor() converts an operand, and addend() converts c, before all other steps. result() converts the result after them.
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

/// Finds out whether a sum with NaN or Inf terms is NaN, Inf or -Inf.
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

/// A value times a power-of-two scale.
SIMT_DEVICE Number scaled(Number x, const Number& scale) {
  x.exponent = int16_t(x.exponent + scale.exponent);
  if (scale.kind == Number::kNan) x.kind = Number::kNan;
  return x;
}

/// The code in D of the aligned sum of c and kTake products.
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

/// x + y, rounded once to nearest, as an IEEE 754 addition in F. Every NaN result has the same code.
template <class F>
SIMT_DEVICE uint32_t added(uint32_t x_code, uint32_t y_code) {
  const Number x = number_of<F>(x_code), y = number_of<F>(y_code);
  SpecialSum special;
  special.add(x);
  special.add(y);
  if (special.any) return special.is_nan() ? infinity<F>(false) | 1u : infinity<F>(special.negative);
  if (x.significand == 0 && y.significand == 0) return x.negative && y.negative ? F::kSign : 0u;
  const Number &high = x.exponent >= y.exponent ? x : y, &low = x.exponent >= y.exponent ? y : x;
  // If the exponents differ by more than kRoom, `low` only decides on which side of a tie the sum lies; a sticky bit is enough.
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

// Tensor cores with scaled 4-bit codes: sixteen scaled products form one term, aligned by the exponents of their scales alone.

struct Grouped : Aligned {
  static constexpr int kGroup = 16;
  SIMT_DEVICE static bool counts(int64_t /*term*/) { return true; }

  template <class U>
  SIMT_DEVICE static uint32_t element(const Number* a, const Number* b, const Number* sfa, const Number* sfb, uint32_t c_code) {
    using D = typename U::D;
    using S = typename U::Scale;
    constexpr int kGroups = U::kK / U::kGroup, kTermBits = U::A::kMantissa + U::B::kMantissa + 2 * S::kMantissa;
    const Number c = number_of<D>(c_code);
    SpecialSum special;
    special.add(c);
    int64_t term[kGroups] = {};
    int exponent[kGroups], largest = c.exponent;
    bool all_negative = c.negative;
    for (int g = 0; g < kGroups; ++g) {
      const Number &sa = sfa[g * U::kGroup / U::kScaleBlock], &sb = sfb[g * U::kGroup / U::kScaleBlock];
      special.add(sa, sb);
      for (int k = g * U::kGroup; k < (g + 1) * U::kGroup; ++k) {
        // Exponents of e2m1 are at least 0, so all products are integers in one common unit.
        term[g] += int64_t{a[k].significand} * b[k].significand * (int64_t{1} << (a[k].exponent + b[k].exponent));
        all_negative = all_negative && a[k].negative != b[k].negative;
      }
      term[g] *= int64_t{sa.significand} * sb.significand;
      exponent[g] = sa.exponent + sb.exponent;
      if (U::counts(term[g]) && exponent[g] > largest) largest = exponent[g];
    }
    if (special.any) return special.is_nan() ? U::template nan<U>(a, b, U::kK, c_code) : infinity<D>(special.negative);
    int64_t sum = U::cut(int64_t{c.significand} * (int64_t{1} << (U::kFraction - D::kMantissa)), largest - c.exponent);
    for (int g = 0; g < kGroups; ++g) sum += U::cut(term[g] * (int64_t{1} << (U::kFraction - kTermBits)), largest - exponent[g]);
    const uint32_t code = rounded<D, U::kResult>(sum < 0, uint64_t(sum < 0 ? -sum : sum), largest - U::kFraction, U::kRounding);
    return code == 0 ? U::template zero<D>(all_negative) : code;
  }
};

// Tensor cores that align (truncate) and add the products, then align that sum and c, rounding both down, and add them.

struct Joined : Aligned {
  static constexpr int kSplits = 1;        ///< number of partial sums: product k belongs to sum k mod kSplits
  static constexpr int kFraction = 24;     ///< fraction bits of aligned products and of partial sums
  static constexpr int kSumFraction = 31;  ///< fraction bits of the sum of products when c is added
  static constexpr int kCFraction = 24;    ///< fraction bits of c when it is added to the sum of products
  static constexpr int kDropsC = 0;        ///< c counts as 0 if its exponent is more than kDropsC below the largest one; 0: never
  static constexpr int kProductLimit = 0;  ///< a product of at least 2^kProductLimit is Inf; 0: no limit
  static constexpr Rounding kRounding = Rounding::kNearest;

  /// Drops the lowest `below` bits, rounding toward -Inf.
  SIMT_DEVICE static int64_t floored(int64_t term, int below) { return term >> (below > 62 ? 62 : below); }

  template <class U>
  SIMT_DEVICE static uint32_t element(const Number* a, const Number* b, [[maybe_unused]] const Number* sfa,
                                      [[maybe_unused]] const Number* sfb, uint32_t c) {
    uint32_t d = c;
    for (int first = 0; first < U::kK; first += U::kTake) {
      if constexpr (U::kScaleBlock == 0) {
        d = joined_block<U>(a + first, b + first, d);
      } else {
        Number x[U::kTake], y[U::kTake];
        for (int i = 0; i < U::kTake; ++i) {
          x[i] = scaled(a[first + i], sfa[(first + i) / U::kScaleBlock]);
          y[i] = scaled(b[first + i], sfb[(first + i) / U::kScaleBlock]);
        }
        d = joined_block<U>(x, y, d);
      }
    }
    return d;
  }

 private:
  struct Sum {
    int64_t steps = 0;  ///< the sum, in units of 2^(exponent - kFraction)
    int exponent = kNoExponent;
  };

  template <class U>
  SIMT_DEVICE static Sum sum_of(const Number* a, const Number* b, int first) {
    constexpr int kUp = U::kFraction - U::A::kMantissa - U::B::kMantissa;
    Sum sum;
    sum.exponent = U::kLeast;
    for (int k = first; k < U::kTake; k += U::kSplits)
      if (U::counts(int64_t{a[k].significand} * b[k].significand) && U::exponent(a[k], b[k]) > sum.exponent)
        sum.exponent = U::exponent(a[k], b[k]);
    for (int k = first; k < U::kTake; k += U::kSplits)
      sum.steps += U::cut(int64_t{a[k].significand} * b[k].significand * (int64_t{1} << kUp),
                          sum.exponent - a[k].exponent - b[k].exponent);
    return sum;
  }

  template <class U>
  SIMT_DEVICE static uint32_t joined_block(const Number* a, const Number* b, uint32_t c_code) {
    using D = typename U::D;
    constexpr int kProductBits = U::A::kMantissa + U::B::kMantissa;
    const Number c = number_of<D>(c_code);
    SpecialSum special;
    special.add(c);
    bool all_negative = c.negative;
    for (int k = 0; k < U::kTake; ++k) {
      special.add(a[k], b[k]);
      all_negative = all_negative && a[k].negative != b[k].negative;
      const int64_t product = int64_t{a[k].significand} * b[k].significand;
      if (U::kProductLimit == 0 || product == 0) continue;
      const int top =
          63 - __builtin_clzll(uint64_t(product < 0 ? -product : product)) - kProductBits + a[k].exponent + b[k].exponent;
      if (top >= U::kProductLimit) special.add_infinity(product < 0);
    }
    if (special.any) return special.is_nan() ? U::template nan<U>(a, b, U::kTake, c_code) : infinity<D>(special.negative);

    Sum sums[U::kSplits];
    int of_sum = kNoExponent;
    for (int s = 0; s < U::kSplits; ++s) {
      sums[s] = sum_of<U>(a, b, s);
      if (sums[s].exponent > of_sum) of_sum = sums[s].exponent;
    }
    int64_t sum = 0;
    for (const Sum& one : sums) sum += U::floored(one.steps, of_sum - one.exponent);
    const int largest = of_sum > c.exponent ? of_sum : c.exponent;
    constexpr int kSumUp = U::kSumFraction - U::kFraction;
    sum = U::floored(sum * (int64_t{1} << kSumUp), largest - of_sum);
    int64_t addend = U::floored(int64_t{c.significand} * (int64_t{1} << (U::kCFraction - D::kMantissa)), largest - c.exponent);
    if (U::kDropsC != 0 && c.exponent < largest - U::kDropsC) addend = 0;
    sum += addend * (int64_t{1} << (U::kSumFraction - U::kCFraction));
    const uint32_t code =
        rounded<D, U::kResult>(sum < 0, uint64_t(sum < 0 ? -sum : sum), largest - U::kSumFraction, U::kRounding);
    return code == 0 ? U::template zero<D>(all_negative) : code;
  }
};

// Tensor cores that add neighbouring terms in a tree, round each sum to f32 and flush subnormals to zero; integer tensor cores.

struct Tree : Aligned {
  /// Flushes values below the smallest normal one to zero, keeping the sign.
  template <class F>
  SIMT_DEVICE static uint32_t flushed(uint32_t code) {
    const Number x = number_of<F>(code);
    const bool subnormal = x.kind == Number::kFinite && x.significand > -(1 << F::kMantissa) && x.significand < 1 << F::kMantissa;
    return subnormal ? code & F::kSign : code;
  }
  SIMT_DEVICE static Number normal(Number x, int mantissa) {
    if (x.kind == Number::kFinite && x.significand > -(1 << mantissa) && x.significand < 1 << mantissa) x.significand = 0;
    return x;
  }

  template <class U>
  SIMT_DEVICE static uint32_t element(const Number* a, const Number* b, const Number* /*sfa*/, const Number* /*sfb*/,
                                      uint32_t c) {
    using D = typename U::D;
    uint32_t d = (U::template flush<D>(c) & (D::kSign - 1)) == 0 ? 0u : c;
    for (int first = 0; first < U::kK; first += U::kTake) {
      uint32_t sums[U::kTake];
      for (int i = 0; i < U::kTake; ++i)
        sums[i] = product<U>(U::normal_factor(a[first + i], U::A::kMantissa), U::normal_factor(b[first + i], U::B::kMantissa));
      for (int count = U::kTake; count > 1; count /= 2)
        for (int i = 0; i < count / 2; ++i) sums[i] = U::template flush<D>(added<D>(sums[2 * i], sums[2 * i + 1]));
      d = U::template flush<D>(added<D>(d, sums[0]));
    }
    return number_of<D>(d).kind == Number::kNan ? U::template nan<U>(a, b, U::kK, c) : d;
  }

  template <class F>
  SIMT_DEVICE static uint32_t flush(uint32_t code) {
    return flushed<F>(code);
  }
  SIMT_DEVICE static Number normal_factor(Number x, int mantissa) { return normal(x, mantissa); }

 private:
  template <class U>
  SIMT_DEVICE static uint32_t product(const Number& a, const Number& b) {
    using D = typename U::D;
    SpecialSum special;
    special.add(a, b);
    if (special.any) return special.is_nan() ? infinity<D>(false) | 1u : infinity<D>(special.negative);
    const int64_t exact = int64_t{a.significand} * b.significand;
    const uint32_t code = rounded<D>(exact < 0, uint64_t(exact < 0 ? -exact : exact),
                                     a.exponent + b.exponent - U::A::kMantissa - U::B::kMantissa, Rounding::kNearest);
    return U::template flush<D>(exact < 0 ? code | D::kSign : code);
  }
};

/// Integer tensor cores: exact, modulo 2^32.
struct Integers : Aligned {
  template <class U>
  SIMT_DEVICE static uint32_t element(const Number* a, const Number* b, const Number* /*sfa*/, const Number* /*sfb*/,
                                      uint32_t c) {
    uint32_t sum = c;
    for (int k = 0; k < U::kK; ++k) sum += uint32_t(a[k].significand * b[k].significand);
    return sum;
  }
};

}  // namespace assay_kernels::units
