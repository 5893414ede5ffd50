#include "reference/recipe/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reference/formats/catalogue.h"
#include "reference/recipe/verbs.h"

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
  EXPECT_EQ(error_of("add"), "0: 'add' is written add(a) | add(a,wrap)");
  EXPECT_EQ(error_of("add(1,2)"), "0: 'add' is written add(a) | add(a,wrap)");
  EXPECT_EQ(error_of("neg rcp(1)"), "4: 'rcp' is written rcp");
  EXPECT_THAT(error_of("clamp(M)"), StartsWith("0: 'clamp' is written clamp("));
  EXPECT_THAT(error_of("to"), StartsWith("0: 'to' is written to("));
  EXPECT_THAT(error_of("pow2"), StartsWith("0: 'pow2' is written pow2("));
  EXPECT_THAT(error_of("max(1,keep,2)"), StartsWith("0: 'max' is written max("));
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
  EXPECT_EQ(error_of("clamp(max_min,s)"), "14: 's' varies; a bound of clamp must be a constant");
  EXPECT_EQ(error_of("clamp(max_min,-8,7)"), "14: the first bound is the upper one and must not be below the second");
  EXPECT_EQ(error_of("clamp(max_min,7,-8)"), "no error");
}

TEST(Parse, TextOfARecipeReadsBackAsTheSameRecipe) {
  for (const char* cell :
       {"absmax max(1e-10)", "div(M) max(1/(512*M),keep)", "amax: rdiv(M)~2", "squares", "deviations", "mul(m) clamp(max_min,M) to(q)",
        "bf16: mul(1/M) log2 ceil exp2", "div(M) f16: rcp~1 f32: mul(s)", "", "absmax(keep)", "least min(0)", "greatest",
        "mul(m) int32: rint add(s) to(int8)", "int32: rint add(s,wrap) to(int8,rz,undef)"}) {
    const Recipe recipe = parsed(cell);
    EXPECT_EQ(recipe.text(), cell);
    EXPECT_EQ(parsed(recipe.text().c_str()).text(), recipe.text());
  }
  EXPECT_EQ(parsed("  div(M)   rcp ").text(), "div(M) rcp") << "blanks are the only thing that is lost";
  EXPECT_NE(parsed("div(M) rcp").text(), parsed("rcp div(M)").text());
}

}  // namespace
}  // namespace assay
