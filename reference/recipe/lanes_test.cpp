#include "reference/recipe/lanes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <stdexcept>

#include "reference/testing/f32.h"

namespace assay {
namespace {

struct Rows {
  std::vector<double> low, high, b_low, b_high;
};

/// Random numbers and all pairs of special ones. The length is odd, so that a tail remains for every vector width.
Rows rows() {
  Rows r;
  RandomNumbers random(51);
  const std::vector<double> special = special_numbers();
  const auto add = [&](double x, double y, double a, double b) {
    r.low.push_back(std::fmin(x, y)), r.high.push_back(std::fmax(x, y)), r.b_low.push_back(std::fmin(a, b)),
        r.b_high.push_back(std::fmax(a, b));
  };
  for (double x : special)
    for (double a : special) add(x, x, a, a), add(x, random.of(kF32), a, random.of(kF32));
  for (int i = 0; i < 20001; ++i) add(random.of(kF32), random.of(kF32), random.of(kF32), random.of(kF32));
  for (size_t i = 0; i < r.low.size(); i += 17) r.low[i] = std::nan("");  // some `any`
  return r;
}

/// All bits, with all NaN equal.
std::vector<uint64_t> bits(const std::vector<double>& values) {
  std::vector<uint64_t> all;
  for (double x : values) all.push_back(std::isnan(x) ? 1 : std::bit_cast<uint64_t>(x));
  return all;
}

constexpr Verb kVerbs[] = {Verb::kAdd, Verb::kSub, Verb::kMul, Verb::kDiv, Verb::kRdiv};

/// The results of all loops of an implementation.
std::vector<uint64_t> results(const Lanes& lanes, const Rows& rows) {
  std::vector<uint64_t> all;
  const auto keep = [&](const std::vector<double>& values) {
    const auto part = bits(values);
    all.insert(all.end(), part.begin(), part.end());
  };
  const size_t n = rows.low.size();
  for (const Format* working : {&kF32, &kBf16, &kF16}) {
    const Grid grid = grid_of(*working, Overflow::kSpecial);
    for (Verb verb : kVerbs) {
      for (bool scalar : {false, true}) {
        std::vector<double> v = rows.low, low = rows.low, high = rows.high;
        lanes.arithmetic(verb, grid, v.data(), {rows.b_low.data() + 1, rows.b_low.data() + 1, scalar}, scalar ? n : n - 1);
        lanes.arithmetic_spans(verb, grid, low.data(), high.data(), {rows.b_low.data() + 1, rows.b_high.data() + 1, scalar},
                               scalar ? n : n - 1);
        keep(v), keep(low), keep(high);
      }
    }
    for (double steps : {1.0, 2.0, 17.0}) {
      std::vector<double> low = rows.low, high = rows.high;
      lanes.round(grid, low.data(), n);
      lanes.round(grid, high.data(), n);
      lanes.widen_spans(grid, steps, low.data(), high.data(), n);
      keep(low), keep(high);
    }
  }
  for (const Format* target : {&kF32, &kBf16, &kF16, &kE4M3Fn, &kE4M3Fnuz, &kE5M2, &kE5M2Fnuz}) {
    for (Overflow overflow : {Overflow::kSaturate, Overflow::kSpecial}) {
      std::vector<double> v = rows.low, low = rows.low, high = rows.high;
      lanes.round(grid_of(*target, overflow), v.data(), n);
      lanes.round_spans(grid_of(*target, overflow), low.data(), high.data(), n);
      keep(v), keep(low), keep(high);
    }
  }
  for (double nan_becomes : {-448.0, 448.0, std::nan("")}) {
    std::vector<double> v = rows.low, low = rows.low, high = rows.high;
    lanes.clamp(v.data(), {-448, 448, nan_becomes}, n);
    lanes.clamp_spans(low.data(), high.data(), {-448, 448, nan_becomes}, n);
    keep(v), keep(low), keep(high);
  }
  return all;
}

class EveryInstructionSet : public testing::TestWithParam<const char*> {};

TEST_P(EveryInstructionSet, GivesTheBitsOfTheScalarLoops) {
  const Lanes* tried = lanes_named(GetParam());
  if (!tried) GTEST_SKIP() << "this processor has no " << GetParam();
  EXPECT_EQ(tried->name, GetParam());
  EXPECT_EQ(results(*tried, rows()), results(*lanes_named("scalar"), rows()));
}

TEST_P(EveryInstructionSet, IsSeenToDifferWhenOneNumberDiffers) {
  const Lanes* tried = lanes_named(GetParam());
  if (!tried) GTEST_SKIP() << "this processor has no " << GetParam();
  Rows other = rows();
  other.low.back() = other.low.back() == 1 ? 3 : 1;
  EXPECT_NE(results(*tried, other), results(*lanes_named("scalar"), rows()));
}

INSTANTIATE_TEST_SUITE_P(Lanes, EveryInstructionSet, testing::Values("avx512", "avx2", "scalar"),
                         [](const auto& param_info) { return std::string(param_info.param); });

TEST(Lanes, RoundingInLanesIsRoundToOnAllFormats) {
  for (const Format* format : {&kF32, &kBf16, &kF16, &kE4M3Fn, &kE4M3Fnuz, &kE5M2, &kE5M2Fnuz}) {
    for (Overflow overflow : {Overflow::kSaturate, Overflow::kSpecial}) {
      std::vector<double> input = rows().low, output = input;
      lanes_named("scalar")->round(grid_of(*format, overflow), output.data(), output.size());
      std::vector<double> expected, truncated;
      for (double x : input) expected.push_back(round_to(*format, x, Rounding::kNearestEven, overflow));
      for (double x : input) truncated.push_back(round_to(*format, x, Rounding::kTowardZero, overflow));
      EXPECT_EQ(bits(output), bits(expected)) << format->name;
      EXPECT_EQ(bits(output) == bits(truncated), *format == kF32) << format->name << ": f32 numbers stay";
    }
  }
}

TEST(Lanes, UnknownSetsAreNotFoundAndNotGuessed) {
  EXPECT_EQ(lanes_named("sse9"), nullptr);
  EXPECT_NE(lanes_named("scalar"), nullptr);
  EXPECT_EQ(lanes_asked_for("scalar").name, "scalar");
  const Lanes* best = nullptr;
  for (const char* name : {"scalar", "avx2", "avx512"})
    if (const Lanes* found = lanes_named(name)) best = found;
  EXPECT_EQ(&lanes_asked_for(nullptr), best);
  EXPECT_THAT([] { lanes_asked_for("sse9"); },
              testing::ThrowsMessage<std::runtime_error>(testing::HasSubstr("ASSAY_ISA is 'sse9'")));
}

}  // namespace
}  // namespace assay
