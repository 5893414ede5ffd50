// Every step equals its definition rounded once, and the test inputs distinguish the definitions.
#include "reference/recipe/verbs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "reference/recipe/eval.h"
#include "reference/recipe/parse.h"
#include "reference/testing/f32.h"
#include "reference/testing/real.h"
#include "reference/testing/verb_definitions.h"

namespace assay {
namespace {

using namespace verb_definitions;

/// Pairs of numbers of a format: every pair of special numbers, every special one with a random one, and random pairs.
std::vector<std::pair<double, double>> pairs(const Format& format, int random_pairs) {
  std::vector<std::pair<double, double>> all;
  RandomNumbers random(21);
  std::vector<double> special;
  for (double x : special_numbers()) special.push_back(round_to(format, x, Rounding::kTowardZero, Overflow::kSpecial));
  for (double v : special)
    for (double a : special) all.emplace_back(v, a);
  for (double v : special) all.emplace_back(v, random.of(format)), all.emplace_back(random.of(format), v);
  for (int i = 0; i < random_pairs; ++i) all.emplace_back(random.of(format), random.of(format));
  return all;
}

/// The first pair on which the evaluator differs from a definition, as text; empty if there is none. All pairs form one row.
std::string disagreement(const std::string& form, const Definition& definition, const Format& working,
                         const std::vector<std::pair<double, double>>& inputs) {
  const Names names{{}, {}, {"a"}};
  const Recipe recipe = parse_recipe(std::string(working.name) + ": " + form, names);
  Spans row, operand;
  for (const auto& [v, a] : inputs) row.low.push_back(v), operand.low.push_back(a);
  Environment environment;
  environment.set("a", operand);
  evaluate(recipe, row, environment);
  for (size_t i = 0; i < inputs.size(); ++i) {
    const double expected = definition.value({form, inputs[i].first, inputs[i].second, working});
    if (same_number(row.low[i], expected)) continue;
    std::ostringstream text;
    text << working.name << ": " << std::hexfloat << inputs[i].first << " " << form << " with a = " << inputs[i].second << " is "
         << row.low[i] << ", by definition " << expected;
    return text.str();
  }
  return {};
}

TEST(Verbs, EveryVerbOfTheAlphabetHasADefinitionHere) {
  std::set<Verb> verbs, defined;
  for (const VerbInfo& verb : all_verbs()) EXPECT_TRUE(verbs.insert(verb.verb).second) << verb.name << " stands twice";
  for (const auto& [verb, definition] : definitions()) defined.insert(verb);
  EXPECT_EQ(verbs, defined);
  EXPECT_LT(verbs.size(), 40u) << "the alphabet is meant to stay small";
}

TEST(Verbs, EveryVerbIsItsDefinitionWithOneRounding) {
  for (const auto& [verb, definition] : definitions()) {
    const bool slow = verb == Verb::kExp || verb == Verb::kExp2 || verb == Verb::kLog2 || verb == Verb::kTanh ||
                      verb == Verb::kErf;
    for (const Format* working : {&kF32, &kBf16, &kF16})
      for (const std::string& form : verb == Verb::kFma && !(*working == kF32) ? std::vector<std::string>() : definition.forms)
        EXPECT_EQ(disagreement(form, definition, *working,
                               pairs(verb == Verb::kTo || verb == Verb::kClamp ? kF32 : *working, slow ? 2000 : 8000)),
                  "");
  }
}

TEST(Verbs, OperandsOfAWiderWorkingFormatAreRoundedOnceToo) {
  for (Verb verb : {Verb::kAdd, Verb::kSub, Verb::kMul, Verb::kDiv, Verb::kRdiv, Verb::kRcp, Verb::kRsqrt}) {
    const Definition& definition = definitions().at(verb);
    for (const Format* working : {&kBf16, &kF16})
      EXPECT_EQ(disagreement(definition.forms[0], definition, *working, pairs(kF32, 8000)), "");
  }
}

TEST(Verbs, EveryOtherDefinitionIsSeenToDiffer) {
  const auto inputs = pairs(kF32, 500);
  for (const auto& [verb, definition] : definitions()) {
    for (const auto& [other, wrong] : definitions()) {
      if (verb == other) continue;
      Definition swapped{definition.forms, [&](const Input& in) {
        Input as_other{wrong.forms[0], in.v, in.a, in.working};
        return wrong.value(as_other);
      }};
      EXPECT_NE(disagreement(definition.forms[0], swapped, kF32, inputs), "") << info(verb).name << " as " << info(other).name;
    }
  }
}

TEST(Verbs, EveryRuleForNanAndEveryChoiceOfAVerbIsSeenToDiffer) {
  const auto inputs = pairs(kF32, 500);
  for (const auto& [verb, definition] : definitions()) {
    for (const std::string& form : definition.forms) {
      for (const std::string& other : definition.forms) {
        const bool same_by_meaning =
            form == other || (has(form, "max_min") && has(other, "med3")) || (has(form, "med3") && has(other, "max_min"));
        if (same_by_meaning) continue;
        const Definition wrong{{form}, [&](const Input& in) { return definition.value({other, in.v, in.a, in.working}); }};
        EXPECT_NE(disagreement(form, wrong, kF32, inputs), "") << form << " as " << other;
      }
    }
  }
}

/// Figueroa: with p bits per operand and 53 >= 2 p + 2, rounding to double first is harmless. Tested at the hardest points:
/// quotients and roots whose significand is closest to a midpoint, and subnormal results.
TEST(Verbs, RoundingToDoubleFirstIsInnocuousWhereItIsHardest) {
  RandomNumbers random(31);
  int64_t near_midpoints = 0;
  for (int i = 0; i < 60000; ++i) {
    const double a = 8388608 + double(random.below(8388608)), b = 8388608 + double(random.below(8388608));
    for (double scale : {1.0, 0x1p-126, 0x1p-140}) {
      const double quotient = a / b * scale, divisor = b / scale;
      if (!std::isfinite(float(divisor))) continue;
      ASSERT_EQ(double(float(quotient)), nearest(kF32, Real(a) / Real(b) * Real(scale))) << a << " / " << b << " * " << scale;
      ASSERT_EQ(round_to(kBf16, quotient, Rounding::kNearestEven, Overflow::kSpecial),
                nearest(kBf16, Real(a) / Real(b) * Real(scale)));
      ASSERT_EQ(round_to(kF16, quotient, Rounding::kNearestEven, Overflow::kSpecial),
                nearest(kF16, Real(a) / Real(b) * Real(scale)));
      near_midpoints += std::fabs(std::remainder(std::ldexp(quotient / scale, 24), 1)) > 0.499;
    }
    ASSERT_EQ(double(float(a * 0x1p-100 + b * 0x1p-60)), nearest(kF32, Real(a) * Real(0x1p-100) + Real(b) * Real(0x1p-60)));
    ASSERT_EQ(double(float(std::sqrt(a))), nearest(kF32, in_reals(mpfr_sqrt, a)));
  }
  EXPECT_GT(near_midpoints, 0);
}

TEST(Verbs, RoundingToF32FirstIsNotInnocuousForSixteenBitsAndIsSeen) {
  // rounding through a format that is too narrow creates a false tie
  const double x = 0x1.0100000001p0;  // just above a midpoint of bf16, on it after rounding to f32
  EXPECT_EQ(nearest(kBf16, x), 0x1.02p0);
  EXPECT_EQ(nearest(kBf16, nearest(kF32, x)), 1.0);
}

}  // namespace
}  // namespace assay
