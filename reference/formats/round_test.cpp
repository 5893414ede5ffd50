// Every rounding and overflow rule agrees with a search for both neighbours of a number, and the search detects every other rule.
#include "reference/formats/round.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "reference/formats/catalogue.h"

namespace assay {
namespace {

constexpr Rounding kModes[] = {Rounding::kNearestEven, Rounding::kNearestAway, Rounding::kTowardZero, Rounding::kDown,
                               Rounding::kUp};
constexpr Overflow kOverflows[] = {Overflow::kSaturate, Overflow::kSpecial};

/// The format's nonnegative numbers by decoding; searched, so that no code of round_to is reused.
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

/// Rounds by comparing with both neighbours. Midpoints are exact doubles for all formats here, so x is compared and never
/// rounded.
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

/// Doubles at, near and between neighbouring values: ties, and one bit beside them.
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

/// The first input on which rounder and search differ, as text; empty if there is none.
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

}  // namespace
}  // namespace assay
