// Compares rounding and overflow with a search for the two neighbours of a number. Also tests codes of whole rows.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

constexpr Rounding kModes[] = {Rounding::kNearestEven, Rounding::kNearestAway, Rounding::kTowardZero, Rounding::kDown,
                               Rounding::kUp};
constexpr Overflow kOverflows[] = {Overflow::kSaturate, Overflow::kSpecial};

/// The format's non-negative values in ascending order, decoded from its codes, for the search. Shares no code with round_to().
class Ladder {
 public:
  explicit Ladder(const Format& f) : f_(f), top_(code_of(f, max_finite(f))) {
    if (f.bits <= 16)
      for (uint32_t code = 0; code <= top_; ++code) values_.push_back(decode(f, code));
  }
  double at(uint32_t code) const { return values_.empty() ? decode(f_, code) : values_[code]; }
  uint32_t top() const { return top_; }

  /// The last code whose value is at most x (x >= 0).
  uint32_t below(double x) const {
    uint32_t low = 0, high = top_;
    while (low < high) {
      const uint32_t middle = low + (high - low + 1) / 2;
      if (at(middle) <= x) low = middle;
      else high = middle - 1;
    }
    return low;
  }

 private:
  const Format& f_;
  uint32_t top_;
  std::vector<double> values_;
};

/// Rounds by comparing with both neighbours. Ties are exact doubles for all formats here, so x is compared with them and nothing
/// is rounded.
double round_by_search(const Format& f, const Ladder& ladder, double x, Rounding mode, Overflow overflow) {
  if (std::isnan(x)) return x;
  const bool negative = std::signbit(x);
  const double magnitude = std::fabs(x), sign = negative ? -1 : 1;
  const bool away_from_zero = (mode == Rounding::kUp && !negative) || (mode == Rounding::kDown && negative);
  const auto beyond = [&] {
    if (overflow == Overflow::kSaturate) return sign * max_finite(f);
    return f.specials == Specials::kIeee ? sign * HUGE_VAL : std::nan("");
  };
  if (std::isinf(x)) return beyond();
  const uint32_t code = ladder.below(magnitude);
  const double low = ladder.at(code);
  double chosen = low;
  if (low != magnitude) {
    const bool at_top = code == ladder.top();
    const double step = at_top ? low - ladder.at(code - 1) : ladder.at(code + 1) - low;
    const double middle = low + step / 2;
    const bool code_is_odd = code % 2 == 1;
    bool up = false;
    switch (mode) {
      case Rounding::kNearestEven: up = magnitude > middle || (magnitude == middle && code_is_odd); break;
      case Rounding::kNearestAway: up = magnitude >= middle; break;
      case Rounding::kTowardZero: break;
      case Rounding::kDown: case Rounding::kUp: up = away_from_zero; break;
    }
    if (up && at_top) return beyond();
    if (up) chosen = low + step;
  }
  return chosen == 0 && f.specials == Specials::kFnuz ? 0.0 : sign * chosen;
}

bool same(double a, double b) { return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b)); }

/// Doubles at, near and between two neighbouring values: ties, and the next double on each side.
void around(double low, double high, const std::function<void(double)>& visit) {
  const double middle = low + (high - low) / 2;
  for (double x : {low, middle, low + (high - low) / 4, low + (high - low) * 0.75}) {
    for (double y : {x, std::nextafter(x, HUGE_VAL), std::nextafter(x, -HUGE_VAL)}) {
      visit(y);
      visit(-y);
    }
  }
}

void samples(const Format& f, const Ladder& ladder, const std::function<void(double)>& visit) {
  std::mt19937_64 random(7);
  if (f.bits <= 16) {
    for (uint32_t code = 0; code < ladder.top(); ++code) around(ladder.at(code), ladder.at(code + 1), visit);
  } else {
    for (int i = 0; i < 20000; ++i) {
      const auto code = uint32_t(random() % ladder.top());
      around(ladder.at(code), ladder.at(code + 1), visit);
    }
  }
  const double top = max_finite(f), step = top - ladder.at(ladder.top() - 1);
  around(top, top + step, visit);
  around(top + step, top + 2 * step, visit);
  for (double x : {0x1p1000, 0x1.8p1023, HUGE_VAL, 0.0, 0x1p-1074, 0x1p-1022, 0x1p-400}) visit(x), visit(-x);
  visit(std::nan(""));
  for (int i = 0; i < 50000; ++i) {
    const double x = std::bit_cast<double>(random());
    if (!std::isnan(x)) visit(x);
  }
}

using Rounder = std::function<double(const Format&, double, Rounding, Overflow)>;

struct Question {
  const Format& format;
  Ladder ladder;
  std::vector<double> inputs;
};

std::vector<Question> questions() {
  std::vector<Question> all;
  for (const Format* f : {&kE4M3Fn, &kE4M3Fnuz, &kE5M2, &kE5M2Fnuz, &kBf16, &kF16, &kF32}) {
    all.push_back({*f, Ladder(*f), {}});
    samples(*f, all.back().ladder, [&](double x) { all.back().inputs.push_back(x); });
  }
  return all;
}

/// The first input on which `rounder` and round_by_search() differ, as text; empty if there is none.
std::string disagreement(const Question& q, Rounding mode, Overflow overflow, const Rounder& rounder) {
  for (double x : q.inputs) {
    const double got = rounder(q.format, x, mode, overflow), expected = round_by_search(q.format, q.ladder, x, mode, overflow);
    if (same(got, expected)) continue;
    std::ostringstream text;
    text << q.format.name << ": " << std::hexfloat << x << " gives " << got << ", the search " << expected;
    return text.str();
  }
  return {};
}

TEST(Round, EveryModeAgreesWithASearchForTheNeighbours) {
  for (const Question& q : questions())
    for (Rounding mode : kModes)
      for (Overflow overflow : kOverflows)
        EXPECT_EQ(disagreement(q, mode, overflow, round_to), "") << "mode " << int(mode) << " overflow " << int(overflow);
}

TEST(Round, TheSearchSeesEveryOtherModeAndEveryOtherOverflow) {
  for (const Question& q : questions()) {
    for (Rounding mode : kModes) {
      for (Rounding other : kModes) {
        if (other == mode) continue;
        const Rounder wrong = [&](const Format& f, double x, Rounding, Overflow o) { return round_to(f, x, other, o); };
        EXPECT_NE(disagreement(q, mode, Overflow::kSpecial, wrong), "")
            << q.format.name << " " << int(other) << " for " << int(mode);
      }
    }
    const Rounder saturates = [](const Format& f, double x, Rounding m, Overflow) {
      return round_to(f, x, m, Overflow::kSaturate);
    };
    EXPECT_NE(disagreement(q, Rounding::kNearestEven, Overflow::kSpecial, saturates), "") << q.format.name;
  }
}

// Rounding at and beyond the largest and smallest value, of scales and of integers, matches tables. next_up() and next_down()
// return the value of the next code.

/// The code of a float, rounded to nearest even.
uint32_t code(const Format& f, double x, Overflow overflow) {
  return code_of(f, round_to(f, x, Rounding::kNearestEven, overflow));
}

TEST(Round, OverflowSetsInWhereTheNextStepWouldBeNearer) {
  // E4M3 has no Inf
  EXPECT_EQ(code(kE4M3Fn, 464, Overflow::kSpecial), 0x7eu) << "the tie goes to the even code, which is 448";
  EXPECT_EQ(code(kE4M3Fn, 464.00003, Overflow::kSpecial), 0x7fu);
  EXPECT_EQ(code(kE4M3Fn, 464.00003, Overflow::kSaturate), 0x7eu);
  EXPECT_EQ(code(kE4M3Fnuz, std::nextafter(248, 0), Overflow::kSpecial), 0x7fu);
  EXPECT_EQ(code(kE4M3Fnuz, 248, Overflow::kSpecial), 0x80u) << "the tie goes to an even code that does not exist";
  EXPECT_EQ(code(kE5M2, std::nextafter(61440, 0), Overflow::kSpecial), 0x7bu);
  EXPECT_EQ(code(kE5M2, 61440, Overflow::kSpecial), 0x7cu);
  EXPECT_EQ(code(kE5M2Fnuz, 61440, Overflow::kSpecial), 0x80u);
  EXPECT_EQ(code(kE4M3Fn, HUGE_VAL, Overflow::kSaturate), 0x7eu);
  EXPECT_EQ(code(kE4M3Fn, -HUGE_VAL, Overflow::kSpecial), 0x7fu) << "the canonical NaN";
}

TEST(Round, ToZeroBelowHalfOfTheSmallestSubnormalAndAtTheTie) {
  for (const Format* f : {&kE4M3Fn, &kE4M3Fnuz, &kE5M2, &kE5M2Fnuz, &kBf16, &kF16, &kF32}) {
    const double tie = decode(*f, 1) / 2;
    EXPECT_EQ(code(*f, tie, Overflow::kSpecial), 0u) << f->name;
    EXPECT_EQ(code(*f, std::nextafter(tie, 1), Overflow::kSpecial), 1u) << f->name;
  }
  EXPECT_EQ(code(kE4M3Fn, -0x1p-12, Overflow::kSaturate), 0x80u);
  EXPECT_EQ(code(kE4M3Fnuz, -0x1p-12, Overflow::kSaturate), 0x00u) << "0x80 would be NaN";
}

struct ScaleRow {
  double x;
  uint32_t down_saturated, down, up_saturated, up, nearest;
};

TEST(Round, ScalesFollowTheHardwareTable) {
  // Columns RZ sat, RZ nosat, RP sat, RP nosat, torch. Between 2^-127 and 2^-126 torch rounds up, but round_to() to nearest.
  const ScaleRow rows[] = {
      {0, 0x00, 0x00, 0x00, 0x00, 0x00},
      {0x1p-149, 0x00, 0x00, 0x00, 0x00, 0x00},
      {0x1p-127, 0x00, 0x00, 0x00, 0x00, 0x00},
      {0x1.000002p-127, 0x00, 0x00, 0x01, 0x01, 0x00},
      {0x1.000002p0, 0x7f, 0x7f, 0x80, 0x80, 0x7f},
      {0x1.7ffffep0, 0x7f, 0x7f, 0x80, 0x80, 0x7f},
      {1.5, 0x7f, 0x7f, 0x80, 0x80, 0x80},
      {3.0, 0x80, 0x80, 0x81, 0x81, 0x81},
      {-1.0, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f},
      {0x1.000002p127, 0xfe, 0xfe, 0xfe, 0xff, 0xfe},
      {0x1.8p127, 0xfe, 0xfe, 0xfe, 0xff, 0xff},
      {HUGE_VAL, 0xfe, 0xff, 0xfe, 0xff, 0xff},
      {std::nan(""), 0xff, 0xff, 0xff, 0xff, 0xff},
  };
  for (const ScaleRow& row : rows) {
    const auto byte = [&](Rounding mode, Overflow overflow) { return code_of(kE8M0, round_to(kE8M0, row.x, mode, overflow)); };
    EXPECT_EQ(byte(Rounding::kTowardZero, Overflow::kSaturate), row.down_saturated) << row.x;
    EXPECT_EQ(byte(Rounding::kTowardZero, Overflow::kSpecial), row.down) << row.x;
    EXPECT_EQ(byte(Rounding::kUp, Overflow::kSaturate), row.up_saturated) << row.x;
    EXPECT_EQ(byte(Rounding::kUp, Overflow::kSpecial), row.up) << row.x;
    EXPECT_EQ(byte(Rounding::kNearestEven, Overflow::kSpecial), row.nearest)
        << row.x << ": the midpoint goes up whatever the code";
  }
}

TEST(Round, IntegersClampAndKnowTheirTies) {
  const auto to_int8 = [](double x, Rounding mode) { return round_to(kInt8, x, mode, Overflow::kSaturate); };
  EXPECT_EQ(to_int8(2.5, Rounding::kNearestEven), 2);
  EXPECT_EQ(to_int8(2.5, Rounding::kNearestAway), 3);
  EXPECT_EQ(to_int8(-2.9, Rounding::kTowardZero), -2);
  EXPECT_EQ(to_int8(-2.1, Rounding::kDown), -3);
  EXPECT_EQ(to_int8(2.1, Rounding::kUp), 3);
  EXPECT_EQ(to_int8(127.5, Rounding::kNearestEven), 127);
  EXPECT_EQ(to_int8(-1e30, Rounding::kNearestEven), -128);
  EXPECT_EQ(to_int8(HUGE_VAL, Rounding::kNearestEven), 127);
}

TEST(Round, NextUpAndNextDownWalkEveryCode) {
  for (const Format& f : all_formats()) {
    if (f.bits > 16) continue;
    std::vector<double> values;  // ascending; the two zeros count as one
    for (uint32_t c = 0; c < f.code_count(); ++c)
      if (const double v = decode(f, c); !std::isnan(v)) values.push_back(v);
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    for (size_t i = 0; i + 1 < values.size(); ++i) {
      ASSERT_EQ(next_up(f, values[i]), values[i + 1]) << f.name << " above " << values[i];
      ASSERT_EQ(next_down(f, values[i + 1]), values[i]) << f.name << " below " << values[i + 1];
      ASSERT_NO_THROW(code_of(f, next_up(f, values[i])));
    }
    EXPECT_EQ(next_up(f, values.back()), values.back()) << f.name;
    EXPECT_EQ(next_down(f, values.front()), values.front()) << f.name;
  }
  EXPECT_TRUE(std::isnan(next_up(kF32, std::nan(""))));
  EXPECT_TRUE(std::isnan(next_down(kF32, std::nan(""))));
  EXPECT_FALSE(std::signbit(next_up(kE4M3Fnuz, -0x1p-10))) << "this format has one zero";
  EXPECT_TRUE(std::signbit(next_up(kE4M3Fn, -0x1p-9))) << "this one has two";
  EXPECT_NE(next_up(kF32, 1.0), next_up(kBf16, 1.0));
}

std::vector<uint32_t> codes_of(const Format& f) {
  std::vector<uint32_t> codes;
  if (f.bits <= 16) {
    for (uint32_t code = 0; code < f.code_count(); ++code) codes.push_back(code);
    return codes;
  }
  std::mt19937 random(3);
  for (int i = 0; i < 100000; ++i) codes.push_back(random());
  for (uint32_t code :
       {0u, 1u, 0x7fffffu, 0x800000u, 0x7f7fffffu, 0x7f800000u, 0x7f800001u, 0x7fc00000u, 0x80000000u, 0xff800000u, 0xffffffffu})
    codes.push_back(code);
  return codes;
}

std::vector<std::byte> packed(const Format& f, const std::vector<uint32_t>& codes) {
  const auto width = size_t(f.bytes());
  std::vector<std::byte> bytes(codes.size() * width);
  for (size_t i = 0; i < codes.size(); ++i) std::memcpy(bytes.data() + i * width, &codes[i], width);  // little endian
  return bytes;
}

uint64_t bits(double x) { return std::isnan(x) ? 1 : std::bit_cast<uint64_t>(x); }

size_t differing_values(const Format& f, const std::vector<uint32_t>& codes, const std::vector<std::byte>& bytes) {
  std::vector<double> values(codes.size());
  decode_all(f, bytes.data(), values);
  size_t count = 0;
  for (size_t i = 0; i < codes.size(); ++i) count += bits(values[i]) != bits(decode(f, codes[i]));
  return count;
}

TEST(Codes, DecodingAnArrayEqualsDecodingItsElements) {
  for (const Format& f : all_formats()) {
    const std::vector<uint32_t> codes = codes_of(f);
    std::vector<std::byte> bytes = packed(f, codes);
    EXPECT_EQ(differing_values(f, codes, bytes), 0u) << f.name;
    bytes[0] ^= std::byte{1};
    EXPECT_EQ(differing_values(f, codes, bytes), 1u) << f.name << ": one flipped bit changes one value";
  }
}

size_t differing_ordinals(const Format& f, const std::vector<double>& values, const std::vector<double>& expected_of) {
  std::vector<int32_t> ordinals(values.size());
  ordinals_of_values(f, values, ordinals);
  size_t count = 0;
  for (size_t i = 0; i < values.size(); ++i) count += ordinals[i] != ordinal_of_value(f, expected_of[i]);
  return count;
}

TEST(Codes, OrdinalsOfAnArrayEqualThoseOfItsElements) {
  for (const Format& f : all_formats()) {
    std::vector<double> values;
    for (uint32_t code : codes_of(f))
      if (f != kInt32 || code != 0x7fffffffu) values.push_back(decode(f, code));
    EXPECT_EQ(differing_ordinals(f, values, values), 0u) << f.name;
    std::vector<double> shifted = values;
    shifted[1] = values[2];
    EXPECT_GT(differing_ordinals(f, values, shifted), 0u) << f.name;
  }
}

TEST(Codes, AnEmptyArrayIsFine) {
  decode_all(kBf16, nullptr, {});
  ordinals_of_values(kE4M3Fn, {}, {});
}

}  // namespace

}  // namespace assay
