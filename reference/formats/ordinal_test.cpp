// Ordinals follow the order of values, NaN is separate, and differences are ulp distances.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include "reference/formats/catalogue.h"
#include "reference/formats/format.h"

namespace assay {
namespace {

TEST(Format, NanCodesOfF32ThatAreToldApartLieBeyondTheInfinities) {
  const Format& apart = with_nans_by_code(kF32);
  for (const uint32_t nan : {0x7f800001u, 0x7fc00000u, 0x7fffffffu, 0xff800001u, 0xffc12345u, 0xffffffffu}) {
    EXPECT_EQ(ordinal(kF32, nan), kNanOrdinal);
    EXPECT_TRUE(is_nan_ordinal(ordinal(apart, nan))) << std::hex << nan;
    EXPECT_EQ(code_from_ordinal(apart, ordinal(apart, nan)), nan) << std::hex << nan;
  }
  for (const uint32_t number : {0u, 0x80000000u, 0x7f800000u, 0xff800000u, 0x3f800000u}) {
    EXPECT_FALSE(is_nan_ordinal(ordinal(apart, number)));
    EXPECT_EQ(ordinal(apart, number), ordinal(kF32, number));
  }
}

TEST(Format, NanCodesHaveOneOrdinalUnlessTheFormatTellsThemApart) {
  for (const Format* f : {&kE4M3Fn, &kE4M3Fnuz, &kE5M2, &kE5M2Fnuz, &kE8M0, &kF16}) {
    const Format& apart = with_nans_by_code(*f);
    std::set<int32_t> ordinals;
    for (uint32_t code = 0; code < f->code_count(); ++code) {
      const bool nan = std::isnan(decode(*f, code));
      EXPECT_EQ(ordinal(*f, code) == kNanOrdinal, nan);
      EXPECT_EQ(is_nan_ordinal(ordinal(apart, code)), nan) << f->name;
      EXPECT_EQ(code_from_ordinal(apart, ordinal(apart, code)), code) << f->name;
      ordinals.insert(ordinal(apart, code));
    }
    EXPECT_EQ(ordinals.size(), f->code_count()) << f->name;
  }
}

TEST(Format, CanonicalNanIsANanCode) {
  for (const Format& f : all_formats()) {
    if (f.is_integer() || f.specials == Specials::kFinite) {
      EXPECT_THROW(code_of(f, std::nan("")), std::domain_error) << f.name;
      continue;
    }
    EXPECT_TRUE(std::isnan(decode(f, code_of(f, std::nan(""))))) << f.name;
    EXPECT_EQ(ordinal(f, code_of(f, std::nan(""))), kNanOrdinal) << f.name;
    EXPECT_EQ(code_from_ordinal(f, kNanOrdinal), code_of(f, std::nan(""))) << f.name;
  }
}

/// Checks all ordinals from lowest to highest: values increase, and only missing codes are skipped.
bool ordinals_are_an_order(const Format& f, const std::function<int32_t(uint32_t)>& order) {
  std::vector<std::pair<int32_t, double>> places;
  for (uint32_t code = 0; code < f.code_count(); ++code)
    if (const double value = decode(f, code); !std::isnan(value)) places.emplace_back(order(code), value);
  std::sort(places.begin(), places.end());
  for (size_t i = 1; i < places.size(); ++i) {
    const auto [o, value] = places[i];
    const auto [previous, below] = places[i - 1];
    const bool zeros = below == 0 && value == 0 && std::signbit(below) && !std::signbit(value);
    const bool gap_at_absent_negative_zero = f.specials == Specials::kFnuz && previous == -2 && o == 0;
    if (o - previous != 1 && !gap_at_absent_negative_zero) return false;
    if (!(below < value) && !zeros) return false;
  }
  return true;
}

TEST(Format, OrdinalsAreConsecutiveAndMonotone) {
  for (const Format& f : all_formats()) {
    if (f.bits > 16) continue;
    EXPECT_TRUE(ordinals_are_an_order(f, [&](uint32_t code) { return ordinal(f, code); })) << f.name;
    EXPECT_FALSE(ordinals_are_an_order(f, [](uint32_t code) { return int32_t(code); }) && f.has_sign())
        << f.name << ": plain codes are in order only where there is no sign";
  }
  for (double x : {0x1p-149, 1.0, 3.5, 0x1p-126, 0x1.fffffep126}) {
    const int32_t o = ordinal_of_value(kF32, x);
    EXPECT_EQ(decode(kF32, code_from_ordinal(kF32, o + 1)), double(std::nextafterf(float(x), HUGE_VALF)));
    EXPECT_EQ(decode(kF32, code_from_ordinal(kF32, o - 1)), double(std::nextafterf(float(x), 0.0f)));
  }
}

TEST(Format, DistanceInUlpCountsTheTwoZerosAsOne) {
  const auto ulps = [](double a, double b) {
    return ulps_between(kBf16, ordinal_of_value(kBf16, a), ordinal_of_value(kBf16, b));
  };
  EXPECT_EQ(ulps(0.0, -0.0), 0);
  EXPECT_EQ(ulps(0x1p-133, -0x1p-133), 2);
  EXPECT_EQ(ulps(-0x1p-133, 0.0), -1);
  EXPECT_EQ(ulps(-0x1p-133, -0.0), -1);
  EXPECT_EQ(ulps(1.0, 1.0078125), -1);
  EXPECT_EQ(ulps(-2.0, -1.9921875), -1);
  EXPECT_NE(ordinal_of_value(kBf16, 0.0), ordinal_of_value(kBf16, -0.0))
      << "as places they differ, and a plain difference is one too many";
}

TEST(Format, DistanceInUlpIsThatOfTheFormat) {
  EXPECT_EQ(ulps_between(kInt8, ordinal(kInt8, 0xff), ordinal(kInt8, 0x01)), -2) << "-1, 0, 1";
  EXPECT_EQ(ulps_between(kInt8, ordinal(kInt8, 0x00), ordinal(kInt8, 0xff)), 1);
  EXPECT_EQ(ulps_between(kInt32, ordinal(kInt32, 0x7fffffff), ordinal(kInt32, 0x80000000)), 0xffffffff);
  EXPECT_EQ(ulps_between(kE4M3Fn, ordinal(kE4M3Fn, 0x80), ordinal(kE4M3Fn, 0x00)), 0);
  EXPECT_EQ(ulps_between(kE4M3Fn, ordinal(kE4M3Fn, 0x81), ordinal(kE4M3Fn, 0x01)), -2);
  EXPECT_EQ(ulps_between(kE4M3Fnuz, ordinal(kE4M3Fnuz, 0x81), ordinal(kE4M3Fnuz, 0x01)), -2) << "0x80 is NaN and no zero";
  EXPECT_EQ(ulps_between(kE8M0, ordinal(kE8M0, 0x00), ordinal(kE8M0, 0xfe)), -0xfe);
  for (const Format& f : all_formats()) {
    if (f.bits > 8) continue;
    int64_t last = 0, places = 0;
    double before = NAN;
    for (int32_t o = -int32_t(f.code_count()); o <= int32_t(f.code_count()); ++o) {
      const uint32_t code = code_from_ordinal(f, o);
      if (ordinal(f, code) != o) continue;
      const int64_t place = ulps_between(f, o, 0);
      if (places++ > 0) {
        EXPECT_EQ(place - last, decode(f, code) == before ? 0 : 1) << f.name << " " << o;
      }
      last = place;
      before = decode(f, code);
    }
    EXPECT_GT(places, 1) << f.name;
  }
}

}  // namespace
}  // namespace assay
