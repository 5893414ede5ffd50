// Codes have the values that the standards define, including special values. A number that the format lacks has no code.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "reference/formats/catalogue.h"
#include "reference/formats/format.h"
#include "reference/formats/misreadings.h"

namespace assay {
namespace {

/// Visits all codes of a format with at most 19 bits. Of a wider format: codes next to each change of exponent, and a sample.
void each_code(const Format& f, const std::function<void(uint32_t)>& visit) {
  if (f.bits <= 19) {
    for (uint32_t code = 0; code < f.code_count(); ++code) visit(code);
    return;
  }
  for (uint64_t code = 0; code < f.code_count(); code += 9973) visit(uint32_t(code));
  for (uint64_t top = 0; top < 512; ++top)
    for (int64_t off : {-2, -1, 0, 1, 2}) visit(uint32_t(int64_t(top << 23) + off));  // may wrap at both ends, but remains a code
}

TEST(Format, EveryCodeRoundTripsThroughItsValue) {
  for (const Format& f : all_formats()) {
    SCOPED_TRACE(f.name);
    each_code(f, [&](uint32_t code) {
      const double value = decode(f, code);
      if (std::isnan(value)) return;
      ASSERT_EQ(code_of(f, value), code);
      ASSERT_EQ(ordinal_of_value(f, value), ordinal(f, code));
      if (value == double(kNanOrdinal)) return;  // int32 has no NaN, and its largest value has the ordinal that stands for NaN
      ASSERT_EQ(code_from_ordinal(f, ordinal(f, code)), code);
    });
  }
}

struct Landmark {
  const Format& format;
  uint32_t max_code;
  double max;
  uint32_t min_normal_code;
  double min_normal, min_subnormal;
};

/// Values from the format specifications of OCP, IEEE and vendors.
const Landmark kLandmarks[] = {
    {kE4M3Fn, 0x7e, 448, 0x08, 0x1p-6, 0x1p-9},
    {kE4M3Fnuz, 0x7f, 240, 0x08, 0x1p-7, 0x1p-10},
    {kE5M2, 0x7b, 57344, 0x04, 0x1p-14, 0x1p-16},
    {kE5M2Fnuz, 0x7f, 57344, 0x04, 0x1p-15, 0x1p-17},
    {kUe4M3, 0x7e, 448, 0x08, 0x1p-6, 0x1p-9},
    {kE3M2, 0x1f, 28, 0x04, 0x1p-2, 0x1p-4},
    {kE2M3, 0x1f, 7.5, 0x08, 1, 0x1p-3},
    {kE2M1, 0x7, 6, 0x2, 1, 0.5},
    {kTf32, 0x3fbff, 0x1.ffcp127, 0x00400, 0x1p-126, 0x1p-136},
    {kBf16, 0x7f7f, 0x1.fep127, 0x0080, 0x1p-126, 0x1p-133},
    {kF16, 0x7bff, 65504, 0x0400, 0x1p-14, 0x1p-24},
    {kF32, 0x7f7fffff, 0x1.fffffep127, 0x00800000, 0x1p-126, 0x1p-149},
};

bool has_landmarks(const Landmark& l) {
  return decode(l.format, l.max_code) == l.max && max_finite(l.format) == l.max &&
         decode(l.format, l.min_normal_code) == l.min_normal && decode(l.format, 1) == l.min_subnormal &&
         std::ldexp(1.0, l.format.min_exponent()) == l.min_normal;
}

TEST(Format, LargestSmallestAndSubnormalAreThoseOfTheStandards) {
  for (const Landmark& landmark : kLandmarks) EXPECT_TRUE(has_landmarks(landmark)) << landmark.format.name;
  EXPECT_EQ(max_finite(kE8M0), 0x1p127);
  EXPECT_EQ(max_finite(kInt8), 127);
  EXPECT_EQ(decode(kInt8, 0x80), -128);
  EXPECT_EQ(decode(kInt32, 0x80000000), -0x1p31);
}

TEST(Format, AWrongBiasIsSeenInTheLandmarks) {
  for (const Landmark& landmark : kLandmarks) {
    Format shifted = landmark.format;
    ++shifted.bias;
    Landmark wrong{
        shifted, landmark.max_code, landmark.max, landmark.min_normal_code, landmark.min_normal, landmark.min_subnormal};
    EXPECT_FALSE(has_landmarks(wrong)) << landmark.format.name;
  }
}

std::set<uint32_t> nan_codes(const Format& f) {
  std::set<uint32_t> codes;
  for (uint32_t code = 0; code < f.code_count(); ++code)
    if (std::isnan(decode(f, code))) codes.insert(code);
  return codes;
}

TEST(Format, NanInfAndNegativeZeroHaveExactlyTheCodesOfTheTable) {
  using testing::ElementsAre;
  EXPECT_THAT(nan_codes(kE4M3Fn), ElementsAre(0x7f, 0xff));
  EXPECT_THAT(nan_codes(kE4M3Fnuz), ElementsAre(0x80));
  EXPECT_THAT(nan_codes(kE5M2), ElementsAre(0x7d, 0x7e, 0x7f, 0xfd, 0xfe, 0xff));
  EXPECT_THAT(nan_codes(kE5M2Fnuz), ElementsAre(0x80));
  EXPECT_THAT(nan_codes(kE8M0), ElementsAre(0xff));
  EXPECT_THAT(nan_codes(kUe4M3), ElementsAre(0x7f));
  for (const Format* f : {&kE3M2, &kE2M3, &kE2M1}) EXPECT_TRUE(nan_codes(*f).empty()) << f->name;
  EXPECT_EQ(nan_codes(kBf16).size(), 2u * 127);
  EXPECT_EQ(nan_codes(kF16).size(), 2u * 1023);
  EXPECT_TRUE(nan_codes(kInt8).empty());

  EXPECT_EQ(decode(kE5M2, 0x7c), HUGE_VAL);
  EXPECT_EQ(decode(kE5M2, 0xfc), -HUGE_VAL);
  EXPECT_EQ(decode(kBf16, 0x7f80), HUGE_VAL);
  EXPECT_EQ(decode(kF16, 0xfc00), -HUGE_VAL);
  EXPECT_EQ(decode(kF32, 0xff800000), -HUGE_VAL);
  for (const Format* f : {&kE4M3Fn, &kE4M3Fnuz, &kE5M2Fnuz, &kE8M0, &kUe4M3, &kE3M2, &kE2M3, &kE2M1}) {
    each_code(*f, [&](uint32_t code) { EXPECT_FALSE(std::isinf(decode(*f, code))) << f->name; });
    EXPECT_THROW(code_of(*f, HUGE_VAL), std::domain_error) << f->name;
  }

  for (const Format* f : {&kE4M3Fn, &kE5M2, &kE3M2, &kE2M3, &kE2M1, &kTf32, &kBf16, &kF16, &kF32}) {
    const uint32_t negative_zero = uint32_t(f->code_count() / 2);
    EXPECT_TRUE(std::signbit(decode(*f, negative_zero)) && decode(*f, negative_zero) == 0) << f->name;
    EXPECT_EQ(code_of(*f, -0.0), negative_zero) << f->name;
  }
  EXPECT_EQ(code_of(kE4M3Fnuz, -0.0), 0u) << "0x80 is NaN there";
}

TEST(Format, OneByteIsTwiceInFnWhatItIsInFnuz) {
  for (uint32_t code = 0; code < 256; ++code) {
    if (code == 0x7f || code == 0x80 || code == 0xff) continue;
    EXPECT_EQ(decode(kE4M3Fn, code), 2 * decode(kE4M3Fnuz, code)) << code;
    EXPECT_EQ(decode(kE4M3Fn, code) == decode(kE4M3Fnuz, code), code == 0) << "only zero is the same in both";
  }
  EXPECT_EQ(decode(kE4M3Fnuz, 0x7f), 240);
  EXPECT_TRUE(std::isnan(decode(kE4M3Fn, 0x7f)));
  EXPECT_TRUE(std::isnan(decode(kE4M3Fnuz, 0x80)));
}

TEST(Format, ScaleByteZeroIsASubnormalOfF32AndNotZero) {
  EXPECT_EQ(decode(kE8M0, 0x00), 0x1p-127);
  EXPECT_EQ(code_of(kF32, decode(kE8M0, 0x00)), 0x00400000u);
  EXPECT_NE(decode(kE8M0, 0x00), double(std::bit_cast<float>(0x00u << 23))) << "the popular decoder gives zero";
  EXPECT_EQ(decode(kE8M0, 0x7f), 1);
  EXPECT_EQ(decode(kE8M0, 0xfe), 0x1p127);
}

TEST(Format, AValueOffTheGridHasNoCode) {
  const struct {
    const Format& format;
    double value;
  } off[] = {{kE4M3Fn, 17},   {kE4M3Fn, 0x1p-10}, {kE4M3Fn, 480},   {kE4M3Fnuz, 448},     {kE5M2, 9},    {kBf16, 1.001},
             {kF16, 0x1p-25}, {kF16, 65520},      {kF32, 0x1p-150}, {kF32, 0x1.000001p0}, {kE8M0, 3},    {kE8M0, 0},
             {kE8M0, -1},     {kE8M0, 0x1p128},   {kInt8, 128},     {kInt8, 0.5},         {kInt8, -129}, {kE5M2Fnuz, 65536}};
  for (const auto& [format, value] : off) EXPECT_THROW(code_of(format, value), std::domain_error) << format.name << " " << value;
  EXPECT_NO_THROW(code_of(kE4M3Fn, 18));
  EXPECT_NO_THROW(code_of(kInt8, -128));
}

TEST(Catalogue, FormatsAreFoundByNameAndOthersAreNot) {
  for (const Format& f : all_formats()) {
    ASSERT_NE(find_format(f.name), nullptr);
    EXPECT_EQ(*find_format(f.name), f);
    EXPECT_FALSE(f.source.empty());
  }
  EXPECT_EQ(find_format("e4m3"), nullptr);
}

// Ordinals follow the order of values, NaN is separate, and differences are ulp distances.

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

/// Walks through all ordinals in order: values must increase, and the only gap is at the missing -0 of kFnuz formats.
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
      << "they are two places, so a plain difference of places is one too large";
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

// Codes read as another format, or by a wrong formula.

double read_as(const std::string& words, uint32_t code) {
  for (const CodeMisreading& one : code_misreadings(kE4M3Fn))
    if (one.words == words) return one.read(kE4M3Fn, code);
  throw std::runtime_error("no misreading '" + words + "'");
}

TEST(Misreadings, SubnormalCodes) {
  EXPECT_EQ(read_as("subnormal codes are read as 0", 0x05), 0);
  EXPECT_EQ(read_as("subnormal codes are read 64 times as large", 0x85), -5 * 0x1p-3);
  EXPECT_EQ(read_as("subnormal codes are read 64 times as large", 0x38), 1);
  EXPECT_EQ(read_as("subnormal codes are read with the leading 1 of normal codes", 0x04), 1.5 * 0x1p-7);
}

TEST(Misreadings, NormalCodes) {
  EXPECT_EQ(read_as("normal codes are read as 0", 0x3c), 0);
  EXPECT_EQ(read_as("normal codes are read as 0", 0x05), 5 * 0x1p-9);
  EXPECT_EQ(read_as("normal codes are read without the leading 1", 0x3c), 0.5);
  EXPECT_EQ(read_as("the mantissa of normal codes is not read", 0x3c), 1);
  EXPECT_EQ(read_as("the exponent is read one bit too low", 0x38), 0x1.0p7) << "0x38 >> 2 is 14, whose power is 7";
}

TEST(Misreadings, BitsOfFieldsThatAreNotRead) {
  EXPECT_EQ(read_as("the lowest bit of the mantissa is not read", 0x3f), 1.75);
  EXPECT_EQ(read_as("the lowest bit of the mantissa is not read", 0x81), 0);
  EXPECT_EQ(read_as("the lowest bit of the mantissa is not read", 0x3e), 1.75);
  EXPECT_EQ(read_as("the highest bit of the mantissa is not read", 0xbf), -1.375);
  EXPECT_EQ(read_as("the lowest bit of the exponent is not read", 0x08), 0) << "no leading 1 if the rest of the exponent is 0";
  EXPECT_EQ(read_as("the highest bit of the exponent is not read", 0x7c), 0x1.8p0);
  EXPECT_TRUE(std::isnan(read_as("the lowest bit of the mantissa is not read", 0x7f)));
}

TEST(Misreadings, AMantissaInTheWrongPlaceChangesTheExponentByOr) {
  const std::string high = " too high: its bits are added to the exponent by OR", name = "the mantissa of normal codes is placed ";
  EXPECT_EQ(read_as(name + "1 bit" + high, 0x3c), 1) << "its highest bit becomes the lowest one of the exponent, which is set";
  EXPECT_EQ(read_as(name + "1 bit" + high, 0x34), 1) << "and here it is not set";
  EXPECT_EQ(read_as(name + "6 bits" + high, 0x39), 0x1p0) << "bit 3 of the exponent 127 is set";
  EXPECT_EQ(read_as(name + "6 bits" + high, 0x41), 0x1p9) << "bit 3 of the exponent 128 is not set";
  EXPECT_EQ(read_as(name + "1 bit too low", 0x3c), 1.25);
  EXPECT_EQ(read_as(name + "1 bit too low", 0x04), decode(kE4M3Fn, 0x04)) << "a subnormal code";
}

TEST(Misreadings, SignAndNan) {
  EXPECT_EQ(read_as("the code of NaN is read as a number", 0x7f), 480);
  EXPECT_EQ(read_as("the code of NaN is read as a number", 0xff), -480);
  EXPECT_EQ(read_as("the bits above the mantissa are not masked", 0x01), decode(kE4M3Fn, 0x01));
  EXPECT_EQ(read_as("the bits above the mantissa are not masked", 0x81), -129 * 0x1p-9);
  EXPECT_TRUE(std::isnan(read_as("normal codes are read as 0", 0x7f)));
}

TEST(Misreadings, EachDiffersFromTheFormatForSomeCode) {
  for (const Format* format : {&kE4M3Fn, &kE4M3Fnuz, &kE5M2}) {
    std::set<std::string> names;
    for (const CodeMisreading& one : code_misreadings(*format)) {
      EXPECT_TRUE(names.insert(one.words).second) << one.words;
      bool differs = false;
      for (uint32_t code = 0; code < 256; ++code) {
        const double right = decode(*format, code), wrong = one.read(*format, code);
        differs = differs || std::isnan(right) != std::isnan(wrong) || (right != wrong && !std::isnan(right));
      }
      EXPECT_TRUE(differs) << format->name << ": " << one.words;
    }
  }
  EXPECT_TRUE(code_misreadings(kE2M1).empty());
  EXPECT_TRUE(code_misreadings(kE8M0).empty());
}

}  // namespace

}  // namespace assay
