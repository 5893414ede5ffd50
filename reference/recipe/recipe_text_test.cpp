// The parser, verbs and formulas of recipes, and the error message for each mistake in a cell.
#include <gmock/gmock.h>
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
#include "reference/recipe/recipe.h"
#include "reference/testing/mpfr_programs.h"
#include "reference/testing/verb_definitions.h"

namespace assay {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const Names kNames{{{"M", "448"}}, {{"x", &kBf16}, {"q", &kE4M3Fn}}, {"s", "m", "amax"}};

Recipe parsed(const char* cell) { return parse_recipe(cell, kNames); }

/// "position: what" of the error, or "no error".
std::string error_of(const char* cell) {
  try {
    parsed(cell);
  } catch (const ParseError& error) {
    return std::to_string(error.position) + ": " + error.what();
  }
  return "no error";
}

TEST(Parse, StepsKeepVerbArgumentsAndSlack) {
  const Recipe recipe = parsed("absmax max(1e-10) div(M)~2 rcp clamp(max_min, M,-7) to(q,nosat)");
  EXPECT_EQ(recipe.reduction, Reduction::kAbsMax);
  ASSERT_EQ(recipe.steps.size(), 5u);
  EXPECT_EQ(recipe.steps[0].verb, Verb::kMax);
  EXPECT_EQ(recipe.steps[0].a.constant, double(1e-10f)) << "rounded to the working format";
  EXPECT_EQ(recipe.steps[1].a.constant, 448);
  EXPECT_EQ(recipe.steps[1].slack_ulps, 2);
  EXPECT_EQ(recipe.steps[2].slack_ulps, 0);
  EXPECT_EQ(recipe.steps[3].nan, NanRule::kToLow);
  EXPECT_EQ(recipe.steps[3].a.constant, 448);
  EXPECT_EQ(recipe.steps[3].b.constant, -7);
  EXPECT_EQ(*recipe.steps[4].target, kE4M3Fn);
  EXPECT_EQ(recipe.steps[4].overflow, Overflow::kSpecial);
}

TEST(Parse, AnOperandMayBeAProductOfQuantitiesAndOneOfTwoProductsUnrounded) {
  const Recipe recipe = parsed("mul(s*m) mul(s) sub(m*amax)~fma");
  EXPECT_EQ(recipe.steps[0].a.name, "s");
  EXPECT_EQ(recipe.steps[0].a.times, "m");
  EXPECT_FALSE(recipe.steps[0].is_free());
  EXPECT_TRUE(recipe.steps[2].contracted && recipe.steps[2].is_free());
  EXPECT_EQ(recipe.text(), "mul(s*m) mul(s) sub(m*amax)~fma");
  EXPECT_THAT(error_of("mul(s*k)"), StartsWith("6: 'k' is not one of: s, m, amax"));
  EXPECT_TRUE(parsed("mul(s) add(m)~fma").steps[1].contracted);
  for (const char* cell : {"mul(s*m)~fma", "div(s)~fma", "bf16: add(s*m)~fma"})
    EXPECT_THAT(error_of(cell), HasSubstr("'~fma' is allowed after add and sub in f32 only"));
}

TEST(Parse, FreedomIsANumberOfUlpOrGrowsWithTheArgumentOrIsAPart) {
  const Recipe recipe = parsed("exp~2+1.173v tanh~2^-11 rdiv(M,fast)~3 rdiv(M)");
  EXPECT_EQ(recipe.steps[0].slack_ulps, 2);
  EXPECT_EQ(recipe.steps[0].slack_per_unit, 1.173);
  EXPECT_EQ(recipe.steps[1].slack_ulps, 0);
  EXPECT_EQ(recipe.steps[1].slack_relative, 0x1p-11);
  EXPECT_EQ(recipe.steps[2].slack_ulps, 3);
  EXPECT_TRUE(recipe.steps[2].fast);
  EXPECT_FALSE(recipe.steps[3].fast || recipe.steps[3].is_free());
  EXPECT_EQ(recipe.text(), "exp~2+1.173v tanh~2^-11 rdiv(M,fast)~3 rdiv(M)");
  for (const char* cell : {"exp~", "exp~x", "exp~2+", "exp~2+v", "exp~2+1.173", "exp~2+-1v", "exp~+1v", "exp~2^11", "exp~2^-",
                           "exp~2^-x", "exp~0x2+1v"})
    EXPECT_EQ(error_of(cell).substr(0, 24), "3: after '~': expected k") << cell;
  EXPECT_EQ(error_of("rdiv(M,slow)"), "7: 'slow' is not one of: fast");
  EXPECT_EQ(error_of("neg~2^-3"), "0: 'neg' does not round, so '~' cannot widen it");
}

TEST(Parse, DefaultsAreThoseOfTheAlphabet) {
  const Recipe recipe = parsed("clamp(min_max,M) to(q) to(x) to(f32,rz) max(0,keep)");
  EXPECT_EQ(recipe.steps[0].b.constant, -448) << "the lower bound mirrors the upper one";
  EXPECT_EQ(recipe.steps[1].overflow, Overflow::kSaturate) << "fp8 saturates unless nosat";
  EXPECT_EQ(recipe.steps[2].overflow, Overflow::kSpecial) << "bf16 overflows to Inf";
  EXPECT_EQ(recipe.steps[3].rounding, Rounding::kTowardZero);
  EXPECT_EQ(recipe.steps[4].nan, NanRule::kKeep);
}

TEST(Parse, WorkingFormatHoldsFromItsPrefixOnAndRoundsConstants) {
  const Recipe recipe = parsed("mul(1/M) bf16: mul(1/M) f16: add(2^-24) f32: rcp");
  EXPECT_EQ(*recipe.steps[0].working, kF32);
  EXPECT_EQ(*recipe.steps[1].working, kBf16);
  EXPECT_EQ(*recipe.steps[2].working, kF16);
  EXPECT_EQ(*recipe.steps[3].working, kF32);
  EXPECT_EQ(code_of(kBf16, recipe.steps[1].a.constant), 0x3B12u);
  EXPECT_NE(recipe.steps[0].a.constant, recipe.steps[1].a.constant);
}

TEST(Parse, ACellMayBeginWithAQuantityOrAReduction) {
  EXPECT_EQ(parsed("amax: rdiv(M)").start, "amax");
  EXPECT_EQ(parsed("absmax(keep)").reduction, Reduction::kAbsMaxKeepNan);
  EXPECT_EQ(parsed("absmax(all)").reduction, Reduction::kAbsMaxOfAllNan);
  EXPECT_EQ(parsed("squares").reduction, Reduction::kSquares);
  EXPECT_EQ(parsed("deviations").reduction, Reduction::kDeviations);
  EXPECT_TRUE(parsed("").empty());
  EXPECT_FALSE(parsed("rcp").empty());
  EXPECT_EQ(parsed("mul(m)").steps[0].a.name, "m");
}

TEST(Parse, UnknownVerbsNameNearOnesAndWhatIsAllowed) {
  const std::string error = error_of("absmax dvi(M)");
  EXPECT_THAT(error, StartsWith("7: unknown verb 'dvi'; did you mean 'div'"));
  for (const VerbInfo& verb : all_verbs()) EXPECT_THAT(error, HasSubstr(std::string(verb.name)));
  EXPECT_THAT(error_of("rcp absmax"), StartsWith("4: unknown verb 'absmax'")) << "a reduction stands first";
}

TEST(Parse, BrokenTokensSayAtWhichCharacter) {
  EXPECT_EQ(error_of("div(M) rcp"), "no error");
  EXPECT_EQ(error_of("rcp div(M to(q)"), "4: 'div(M to(q)' is not closed by ')'");
  EXPECT_EQ(error_of("rcp) neg"), "3: ')' without '('");
  EXPECT_EQ(error_of("div(M)x"), "3: unexpected text after ')' in 'div(M)x'");
  EXPECT_EQ(error_of("rcp~"), "3: after '~': expected k, k+Cv, 2^-N or fma, got ''");
  EXPECT_EQ(error_of("neg rcp~x"), "7: after '~': expected k, k+Cv, 2^-N or fma, got 'x'");
  EXPECT_EQ(error_of("rcp~1.5"), "3: after '~': expected k, k+Cv, 2^-N or fma, got '1.5'");
  EXPECT_EQ(error_of("rcp~1234"), "3: after '~': expected k, k+Cv, 2^-N or fma, got '1234'");
  EXPECT_EQ(error_of("rcp div()"), "8: empty argument in 'div()'");
  EXPECT_EQ(error_of("clamp(max_min,,M)"), "14: empty argument in 'clamp(max_min,,M)'");
  EXPECT_THAT(error_of("rcp x: neg"), StartsWith("4: 'x:' is neither a working format (f32:, bf16:, f16:, int32:) nor"));
  EXPECT_THAT(error_of("rcp amax: neg"), StartsWith("4: 'amax:' is neither")) << "a quantity stands first";
}

TEST(Parse, ExactVerbsTakeNoSlack) {
  for (const VerbInfo& verb : all_verbs()) {
    std::string cell(verb.form.substr(0, verb.form.find(" |")));
    if (verb.verb == Verb::kClamp) cell = "clamp(max_min,M)";
    if (verb.verb == Verb::kPow2) cell = "pow2(ceil)";
    if (verb.verb == Verb::kTo) cell = "to(q)";
    if (verb.verb == Verb::kFma) cell = "fma(s,m)";
    if (verb.verb == Verb::kIfLe) cell = "ifle(s,m)";
    const size_t a = cell.find("(a)");
    if (a != std::string::npos) cell.replace(a, 3, "(s)");
    EXPECT_EQ(error_of(cell.c_str()), "no error") << cell;
    const std::string slack_error = error_of((cell + "~1").c_str());
    if (verb.rounds) EXPECT_EQ(slack_error, "no error") << cell;
    else EXPECT_EQ(slack_error, "0: '" + std::string(verb.name) + "' does not round, so '~' cannot widen it");
  }
}

TEST(Parse, WrongNumbersOfArgumentsShowTheForm) {
  EXPECT_EQ(error_of("add"), "0: 'add': expected the form add(a) | add(a,wrap)");
  EXPECT_EQ(error_of("add(1,2)"), "0: 'add': expected the form add(a) | add(a,wrap)");
  EXPECT_EQ(error_of("neg rcp(1)"), "4: 'rcp': expected the form rcp");
  EXPECT_THAT(error_of("clamp(M)"), StartsWith("0: 'clamp': expected the form clamp("));
  EXPECT_THAT(error_of("to"), StartsWith("0: 'to': expected the form to("));
  EXPECT_THAT(error_of("pow2"), StartsWith("0: 'pow2': expected the form pow2("));
  EXPECT_THAT(error_of("max(1,keep,2)"), StartsWith("0: 'max': expected the form max("));
}

TEST(Parse, UnknownNamesListWhatIsKnownThere) {
  EXPECT_EQ(error_of("div(N)"), "4: unknown name 'N' in 'N'; known here: s, m, amax, M");
  EXPECT_EQ(error_of("rcp max(1/(512*N))"), "8: unknown name 'N' in '1/(512*N)'; known here: s, m, amax, M");
  EXPECT_EQ(error_of("rcp max(1+)"), "10: expected a number or a name");
  EXPECT_THAT(error_of("to(e4m3)"), StartsWith("3: unknown format 'e4m3'; known: q, x, f32, bf16"));
  EXPECT_EQ(error_of("to(q,up)"), "5: 'up' is not one of: rz, rna, nosat, sat, ovfl");
  EXPECT_EQ(error_of("to(int8,nosat)"), "8: 'nosat' is not one of: rz, rna, sat, wrap, undef");
  EXPECT_EQ(error_of("to(q,wrap)"), "5: 'wrap' is not one of: rz, rna, nosat, sat, ovfl");
  EXPECT_EQ(error_of("int32: mul(s)"), "7: 'mul' is not available for integers; available: rint, trunc, add, clamp, to");
  EXPECT_EQ(error_of("pow2(round)"), "5: 'round' is not one of: floor, ceil, even, q75, half");
  EXPECT_EQ(error_of("clamp(minmax,M)"), "6: 'minmax' is not one of: max_min, min_max, med3, keep");
  EXPECT_EQ(error_of("max(1,drop)"), "6: 'drop' is not one of: keep");
}

TEST(Parse, ConstantsAndBoundsMustMakeSense) {
  EXPECT_THAT(error_of("div(1/0)"), StartsWith("4: division by zero"));
  EXPECT_THAT(error_of("f16: max(1e6)"), StartsWith("9: too large for f16"));
  EXPECT_EQ(error_of("clamp(max_min,s)"), "14: 's' is not a constant; expected a constant as bound of clamp");
  EXPECT_EQ(error_of("clamp(max_min,-8,7)"), "14: the first bound is the upper one; it must be >= the second");
  EXPECT_EQ(error_of("clamp(max_min,7,-8)"), "no error");
}

TEST(Parse, TextOfARecipeReadsBackAsTheSameRecipe) {
  for (const char* cell : {"absmax max(1e-10)", "div(M) max(1/(512*M),keep)", "amax: rdiv(M)~2", "squares", "deviations",
                           "mul(m) clamp(max_min,M) to(q)", "bf16: mul(1/M) log2 ceil exp2", "div(M) f16: rcp~1 f32: mul(s)", "",
                           "absmax(keep)", "least min(0)", "greatest", "mul(m) int32: rint add(s) to(int8)",
                           "int32: rint add(s,wrap) to(int8,rz,undef)", "to(e2m1,undef)", "mul(s*1/M)"}) {
    const Recipe recipe = parsed(cell);
    EXPECT_EQ(recipe.text(), cell);
    EXPECT_EQ(parsed(recipe.text().c_str()).text(), recipe.text());
  }
  EXPECT_EQ(parsed("  div(M)   rcp ").text(), "div(M) rcp") << "blanks are the only thing that is lost";
  EXPECT_NE(parsed("div(M) rcp").text(), parsed("rcp div(M)").text());
}

std::string written(const std::string& cell) {
  const Names names{{{"M", "448"}}, {{"x", &kBf16}, {"q", &kE4M3Fn}}, {"s", "m", "amax", "r", "w", "n", "eps"}};
  return formula(parse_recipe(cell, names), "v");
}

TEST(Formula, ReadsAsArithmeticWithTheOrderOfTheSteps) {
  EXPECT_EQ(written("absmax max(1e-10)"), "max(max|v|, 1e-10)");
  EXPECT_EQ(written("div(n) add(eps) rsqrt~2"), "(rsqrt(v / n + eps) within 2 ulp)");
  EXPECT_EQ(written("add(eps) div(n)"), "(v + eps) / n");
  EXPECT_EQ(written("div(s) clamp(max_min,M) to(q)"), "e4m3fn(clamp(v / s, -448 .. 448, NaN to low))");
  EXPECT_EQ(written("amax: rdiv(M)~2"), "(448 / amax within 2 ulp)");
  EXPECT_EQ(written("mul(r) to(x) mul(w) to(x)"), "bf16((bf16(v * r)) * w)");
  EXPECT_EQ(written("sub(eps) mul(r) neg"), "-((v - eps) * r)");
  EXPECT_EQ(written("div(M) pow2(ceil) rcp"), "1 / (2^ceil(log2(v / 448)))");
  EXPECT_EQ(written("bf16: mul(m) to(q,nosat)"), "e4m3fn(bf16[v * m], no saturation)");
  EXPECT_EQ(written("neg exp~2+1.173v rdiv(n,fast)~2"),
            "(n / (exp(-v) within 2 + floor(1.173 |v|) ulp) within 2 ulp, or 0 beyond 2^126)");
  EXPECT_EQ(written("tanh~2^-11"), "(tanh(v) with relative error <= 2^-11)");
  EXPECT_EQ(written("erf~2 add(1) mul(w)"), "((erf(v) within 2 ulp) + 1) * w");
  EXPECT_EQ(written("mul(r*w)"), "v * (r * w)");
  EXPECT_EQ(written("mul(s) sub(m*r)~fma to(x)"), "bf16((v * s - m * r, with at most one product unrounded))");
  EXPECT_EQ(written("mul(s) add(m)~fma"), "(v * s + m, with the product rounded or not)");
  EXPECT_EQ(written(""), "v");
}

TEST(Formula, CellsThatDifferAreWrittenDifferently) {
  const char* cells[] = {"max(1)",
                         "max(1,keep)",
                         "min(1)",
                         "clamp(max_min,M)",
                         "clamp(min_max,M)",
                         "clamp(keep,M)",
                         "pow2(ceil)",
                         "pow2(floor)",
                         "pow2(even)",
                         "pow2(q75)",
                         "to(q)",
                         "to(q,nosat)",
                         "to(q,rz)",
                         "to(x)",
                         "rcp",
                         "rcp~1",
                         "exp",
                         "exp~2",
                         "exp~2+1.173v",
                         "tanh",
                         "tanh~2^-11",
                         "erf",
                         "rdiv(s)",
                         "rdiv(s,fast)",
                         "bf16: rcp",
                         "add(s) mul(m)",
                         "mul(m) add(s)",
                         "neg",
                         "abs",
                         "if0(1)",
                         "ifle(1,2)",
                         "ifle(2,1)",
                         "absmax",
                         "absmax(keep)",
                         "absmax(all)",
                         "squares",
                         "deviations"};
  for (const char* a : cells)
    for (const char* b : cells) EXPECT_EQ(written(a) == written(b), a == b) << a << " and " << b;
}

// Every step equals its definition rounded once, and the test inputs tell the definitions apart.

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

/// The first pair for which evaluator and definition differ, as text; empty if there is none. All pairs form one row.
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

/// Figueroa: with p bits per operand and 53 >= 2 p + 2, rounding to double first does no harm. Tests the hardest inputs:
/// quotients and roots whose mantissa is closest to a tie, and subnormal results.
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
  const double x = 0x1.0100000001p0;  // slightly above a tie of bf16; rounded to f32 it is that tie
  EXPECT_EQ(nearest(kBf16, x), 0x1.02p0);
  EXPECT_EQ(nearest(kBf16, nearest(kF32, x)), 1.0);
}

}  // namespace

}  // namespace assay
