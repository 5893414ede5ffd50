// Encoding by search agrees with two other methods: MPFR, and the arithmetic of formats/round.h.
#include "reference/casts/encode.h"

#include <gtest/gtest.h>
#include <mpfr.h>

#include <cmath>
#include <random>
#include <sstream>

#include "reference/formats/catalogue.h"

namespace assay {
namespace {

constexpr Rounding kModes[] = {Rounding::kNearestEven, Rounding::kNearestAway, Rounding::kTowardZero, Rounding::kDown,
                               Rounding::kUp};
const Format* const kFloats[] = {&kE4M3Fn, &kE4M3Fnuz, &kE5M2, &kE5M2Fnuz, &kE3M2, &kE2M3, &kE2M1, &kBf16, &kF16, &kTf32, &kF32};

/// The value rounded by MPFR, with an unbounded exponent above and the format's subnormals below.
double rounded_by_mpfr(const Format& f, double x, Rounding rounding) {
  const bool away = rounding == Rounding::kNearestAway;
  const mpfr_rnd_t mode = rounding == Rounding::kTowardZero ? MPFR_RNDZ
                          : rounding == Rounding::kDown     ? MPFR_RNDD
                          : rounding == Rounding::kUp       ? MPFR_RNDU
                                                            : MPFR_RNDN;
  // MPFR has no mode for ties away from zero: one more bit, toward zero, then half a unit in the last place is added.
  const mpfr_exp_t least = f.min_exponent() + 1, exponent = x == 0 ? least : std::max<mpfr_exp_t>(std::ilogb(x) + 1, least);
  mpfr_t steps;
  mpfr_init2(steps, 1100);
  mpfr_set_d(steps, x, MPFR_RNDN);
  mpfr_mul_2si(steps, steps, f.precision() - exponent, MPFR_RNDN);  // exact: units of the last place
  if (away)
    mpfr_round(steps, steps);
  else
    mpfr_rint(steps, steps, mode);
  mpfr_mul_2si(steps, steps, exponent - f.precision(), MPFR_RNDN);
  const double result = mpfr_get_d(steps, MPFR_RNDN);
  mpfr_clear(steps);
  return result;
}

std::optional<uint32_t> encoded_by_mpfr(const Format& f, double x, Rounding rounding) {
  const double rounded = rounded_by_mpfr(f, x, rounding);
  if (std::fabs(rounded) <= max_finite(f)) return code_of(f, rounded == 0 ? std::copysign(0.0, x) : rounded);
  const bool inward =
      rounding == Rounding::kTowardZero || (rounding == Rounding::kDown && x > 0) || (rounding == Rounding::kUp && x < 0);
  return inward ? std::optional(largest_code(f, x < 0)) : std::nullopt;
}

/// Inputs at and between neighbouring values, their negatives, far beyond both ends, and random ones.
std::vector<double> inputs_for(const Format& f) {
  std::vector<double> all = {0.0, -0.0, 0x1p-149, 0x1p-1000, 0x1p127, 0x1p1000, 0x1.fffffffffffffp1023};
  std::mt19937_64 random(3);
  const uint32_t top = code_of(f, max_finite(f)), count = std::min<uint32_t>(top, 600);
  const auto around = [&](double low, double high) {
    for (const double x : {low, low + (high - low) / 2, low + (high - low) / 4})
      for (const double y : {x, std::nextafter(x, HUGE_VAL), std::nextafter(x, -HUGE_VAL)}) all.push_back(y);
  };
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t code = top <= count ? i : uint32_t(random() % top);
    around(decode(f, code), decode(f, code + 1 > top ? top : code + 1));
  }
  const double largest = max_finite(f), step = largest - decode(f, top - 1);
  around(largest, largest + step);
  around(largest + step, largest + 2 * step);
  const size_t positive = all.size();
  for (size_t i = 0; i < positive; ++i) all.push_back(-all[i]);
  return all;
}

using Encoder = std::optional<uint32_t> (*)(const Format&, double, Rounding);

std::string disagreement(const Format& f, Rounding rounding, Encoder encoder) {
  for (const double x : inputs_for(f)) {
    const std::optional<uint32_t> a = encode_finite(f, x, rounding), b = encoder(f, x, rounding);
    if (a == b) continue;
    std::ostringstream text;
    text << f.name << " mode " << int(rounding) << ": " << std::hexfloat << x << std::hex << " gives " << (a ? int(*a) : -1)
         << ", not " << (b ? int(*b) : -1);
    return text.str();
  }
  return {};
}

TEST(Encode, AgreesWithMpfrInEveryMode) {
  for (const Format* f : kFloats)
    for (const Rounding rounding : kModes) EXPECT_EQ(disagreement(*f, rounding, encoded_by_mpfr), "");
}

TEST(Encode, MpfrSeesEveryOtherMode) {
  for (const Format* f : kFloats) {
    EXPECT_NE(disagreement(*f, Rounding::kNearestEven,
                           [](const Format& g, double x, Rounding) { return encoded_by_mpfr(g, x, Rounding::kNearestAway); }),
              "");
    EXPECT_NE(disagreement(*f, Rounding::kDown,
                           [](const Format& g, double x, Rounding) { return encoded_by_mpfr(g, x, Rounding::kTowardZero); }),
              "");
  }
}

TEST(Encode, AgreesWithTheArithmeticOfRoundTo) {
  for (const Format& f : all_formats()) {
    if (f == kInt32) continue;  // its largest value has the ordinal of NaN
    for (const Rounding rounding : kModes) {
      for (const Overflow overflow : {Overflow::kSaturate, Overflow::kSpecial}) {
        for (double x : inputs_for(f)) {
          if (!f.has_sign()) x = std::fabs(x);
          // if overflow gives NaN, round_to loses the sign
          const double value = round_to(f, x, rounding, overflow);
          const uint32_t code = encode(f, x, rounding, overflow);
          if (std::isnan(value)) {
            ASSERT_TRUE(std::isnan(decode(f, code))) << f.name << " " << x;
          } else {
            ASSERT_EQ(code, code_of(f, value)) << f.name << " " << int(rounding) << " " << x;
          }
        }
      }
    }
  }
}

TEST(Encode, SpecialsKeepTheirSignWhereTheFormatCan) {
  EXPECT_EQ(encode(kE4M3Fn, HUGE_VAL, Rounding::kNearestEven, Overflow::kSpecial), 0x7fu);
  EXPECT_EQ(encode(kE4M3Fn, -HUGE_VAL, Rounding::kNearestEven, Overflow::kSpecial), 0xffu);
  EXPECT_EQ(encode(kE4M3Fnuz, -HUGE_VAL, Rounding::kNearestEven, Overflow::kSpecial), 0x80u);
  EXPECT_EQ(encode(kE5M2, -1e9, Rounding::kNearestEven, Overflow::kSpecial), 0xfcu);
  EXPECT_EQ(encode(kE5M2, -1e9, Rounding::kNearestEven, Overflow::kSaturate), 0xfbu);
  EXPECT_EQ(encode(kE2M1, -1e9, Rounding::kNearestEven, Overflow::kSpecial), 0xfu) << "nothing but numbers";
  EXPECT_EQ(encode(kE2M1, 0.75, Rounding::kNearestEven, Overflow::kSaturate), 0x2u) << "a tie: 1 is even, 0.5 is not";
  EXPECT_EQ(encode(kInt8, -1e9, Rounding::kNearestEven, Overflow::kSaturate), 0x80u);
  EXPECT_EQ(encode(kInt8, -128.5, Rounding::kTowardZero, Overflow::kSaturate), 0x80u);
  EXPECT_THROW(encode(kE2M1, std::nan(""), Rounding::kNearestEven, Overflow::kSaturate), std::domain_error);
}

TEST(EncodeStochastic, GoesUpForAsManyRandomNumbersAsTheFractionSays) {
  // 1 + k/16 is k/2 eighths above 1, so k/2 of 16 random 4-bit numbers must round it up
  for (int sixteenths = 0; sixteenths < 2; ++sixteenths) {
    for (const double sign : {1.0, -1.0}) {
      int up = 0;
      for (uint64_t random = 0; random < 16; ++random)
        up += *encode_stochastic(kE4M3Fn, sign * (1 + sixteenths / 16.0), random, 4) == (sign > 0 ? 0x39u : 0xb9u);
      EXPECT_EQ(up, 8 * sixteenths);
    }
  }
  // One unit of 2^-11 above 1 is 2^-8 of a step: with 8 bits one random number in 256 rounds up, with 4 bits none.
  int with_8 = 0, with_4 = 0;
  for (uint64_t random = 0; random < 256; ++random) with_8 += *encode_stochastic(kE4M3Fn, 1 + 0x1p-11, random, 8) == 0x39u;
  for (uint64_t random = 0; random < 16; ++random) with_4 += *encode_stochastic(kE4M3Fn, 1 + 0x1p-11, random, 4) == 0x39u;
  EXPECT_EQ(with_8, 1);
  EXPECT_EQ(with_4, 0);
}

TEST(EncodeStochastic, LeavesValuesOfTheFormatAloneAndTruncatesForZero) {
  for (uint32_t code = 0; code < 256; ++code) {
    const double value = decode(kE4M3Fn, code);
    if (std::isnan(value)) continue;
    EXPECT_EQ(encode_stochastic(kE4M3Fn, value, 0xffffffff, 32).value(), code_of(kE4M3Fn, value == 0 ? 0.0 : value)) << code;
  }
  for (const double x : {0.3, 1.2, -7.7, 447.0, -0x1p-11})
    EXPECT_EQ(decode(kE4M3Fn, *encode_stochastic(kE4M3Fn, x, 0, 20)),
              round_to(kE4M3Fn, x, Rounding::kTowardZero, Overflow::kSaturate))
        << x;
  EXPECT_EQ(encode_stochastic(kE4M3Fn, 449, 0, 20), 0x7eu);
  EXPECT_EQ(encode_stochastic(kE4M3Fn, 449, (1 << 20) - 1, 20), std::nullopt);
  EXPECT_EQ(encode_stochastic(kE4M3Fn, 480, 0, 20), std::nullopt);
}

}  // namespace
}  // namespace assay
