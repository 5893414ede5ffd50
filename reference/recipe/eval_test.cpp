// Intervals of single steps: their width, and the results for NaN, poles, zeros and integers.
#include "reference/recipe/eval.h"

#include <gtest/gtest.h>

#include "reference/testing/eval_cells.h"
#include "reference/testing/f32.h"

namespace assay {
namespace {

using namespace eval_cells;

TEST(Evaluate, FreedomIsNoWiderThanItsSourceSays) {
  // exp(8): exactly 2 + floor(9.384) = 11 grid numbers on each side
  const double right = run("exp", point(8)).low;
  double low = right, high = right;
  for (int i = 0; i < 11; ++i) low = next_down(kF32, low), high = next_up(kF32, high);
  EXPECT_TRUE(same(run("exp~2+1.173v", point(8)), {low, high}));
  EXPECT_TRUE(same(run("exp~2+1.173v", point(-8)), run("exp~11", point(-8))));
  // exactly the grid numbers within 2^-11 of tanh(1)
  const Span tanh_1 = run("tanh~2^-11", point(1));
  const double exact = std::tanh(1.0);
  EXPECT_LE(std::fabs(tanh_1.low / exact - 1), 0x1p-11 + 0x1p-24);
  EXPECT_GT(std::fabs(next_down(kF32, tanh_1.low) / exact - 1), 0x1p-11);
  EXPECT_LE(std::fabs(tanh_1.high / exact - 1), 0x1p-11 + 0x1p-24);
  EXPECT_GT(std::fabs(next_up(kF32, tanh_1.high) / exact - 1), 0x1p-11);
  EXPECT_TRUE(same(run("tanh~2^-11", point(HUGE_VAL)), point(1))) << "an infinite argument has an exact result";
  EXPECT_TRUE(same(run("tanh~2^-11", point(-0.0)), point(-0.0)));
  // a divisor up to 2^126 divides normally; beyond it, a zero with the quotient's sign is also accepted
  EXPECT_TRUE(run("rdiv(a,fast)", point(0x1p126), point(-3)).pinned());
  EXPECT_TRUE(same(run("rdiv(a,fast)", point(0x1.8p126), point(-3)), {-0x1p-125, -0.0}));
  EXPECT_TRUE(std::signbit(run("rdiv(a,fast)", point(0x1.8p126), point(-3)).high));
  EXPECT_TRUE(std::isnan(run("rdiv(a,fast)", point(HUGE_VAL), point(-HUGE_VAL)).high));
}

TEST(Evaluate, ReciprocalWithinOneUlpAcceptsBothNeighboursAndNotTheThird) {
  for (const double x : {3.0, 448.0, 7.0, 1.0000001, 0.1}) {
    const double v = double(float(x)), right = double(1.0f / float(x));
    const Span span = run("rcp~1", point(v));
    const double up = next_up(kF32, right), down = next_down(kF32, right);
    EXPECT_TRUE(accepts(span, right) && accepts(span, up) && accepts(span, down)) << x;
    EXPECT_FALSE(accepts(span, next_up(kF32, up))) << x;
    EXPECT_FALSE(accepts(span, next_down(kF32, down))) << x;
    EXPECT_FALSE(accepts(run("rcp", point(v)), up)) << "without slack there is one answer";
    EXPECT_TRUE(accepts(run("rcp~2", point(v)), next_up(kF32, up)));
  }
}

TEST(Evaluate, SlackIsInUlpOfTheWorkingFormat) {
  const Span bf16 = run("bf16: div(M)~1", point(100));
  const double right = round_to(kBf16, 100.0 / 448, Rounding::kNearestEven, Overflow::kSpecial);
  EXPECT_TRUE(same(bf16, {next_down(kBf16, right), next_up(kBf16, right)}));
  EXPECT_FALSE(same(run("div(M)~1", point(100)), bf16));
}

TEST(Evaluate, SlackLeavesZeroInfAndNanAlone) {
  EXPECT_TRUE(same(run("mul(a)~2", point(0)), point(0)));
  EXPECT_TRUE(same(run("rcp~1", point(0)), point(HUGE_VAL)));
  EXPECT_TRUE(same(run("rcp~1", point(std::nan(""))), point(std::nan(""))));
  EXPECT_FALSE(run("rcp~1", point(5)).pinned());
}

TEST(Evaluate, NanThatEveryProgramGivesStaysANumberToJudge) {
  const double nan = std::nan("");
  for (const char* word : {"add(a)", "mul(a)", "rcp", "neg", "sqrt", "to(q)", "max(a,keep)", "clamp(keep,M)", "ceil"})
    EXPECT_TRUE(same(run(word, point(nan)), point(nan))) << word;
  EXPECT_TRUE(same(run("mul(a)", {1, 2}, point(nan)), point(nan)));
  EXPECT_TRUE(same(run("max(a)", point(nan), point(3)), point(3))) << "max drops a NaN";
  EXPECT_TRUE(same(run("clamp(max_min,M)", point(nan)), point(-448)));
  EXPECT_TRUE(same(run("clamp(min_max,M)", point(nan)), point(448)));
  EXPECT_TRUE(same(run("clamp(med3,M)", point(nan)), point(-448)));
}

TEST(Evaluate, AnyStaysAnyUntilABoundEndsIt) {
  for (const char* word :
       {"add(a)", "mul(a)", "rcp", "neg", "abs", "sqrt", "to(q)", "to(q,nosat)", "max(a,keep)", "clamp(keep,M)", "if0(a)", "ifle(1,a)"})
    EXPECT_TRUE(run(word, any_number()).any()) << word;
  EXPECT_TRUE(same(run("clamp(min_max,M)", any_number()), {-448, 448})) << "not the upper bound alone";
  EXPECT_TRUE(same(run("clamp(max_min,M)", any_number()), {-448, 448}));
  EXPECT_TRUE(same(run("max(1)", any_number()), {1, HUGE_VAL}));
  EXPECT_TRUE(same(run("min(1)", any_number()), {-HUGE_VAL, 1})) << "not the bound alone";
  EXPECT_TRUE(run("mul(a)", any_number(), point(0)).any()) << "a number times zero is zero, but NaN is not";
}

TEST(Evaluate, ADivisorThatMayBeZeroSaysNothing) {
  EXPECT_TRUE(run("div(a)", point(1), {-1, 1}).any());
  EXPECT_TRUE(run("div(a)", point(1), {0, 1}).any());
  EXPECT_TRUE(run("rdiv(a)", {-1, 1}, point(1)).any());
  EXPECT_TRUE(run("rcp", {-1, 1}).any());
  EXPECT_TRUE(run("div(a)", {-1, 1}, point(0)).any()) << "0 / 0 hides between the ends";
  EXPECT_TRUE(run("mul(a)", {-1, 1}, point(HUGE_VAL)).any()) << "0 * Inf hides between the ends";
  EXPECT_TRUE(same(run("div(a)", point(1), point(0)), point(HUGE_VAL))) << "a zero that is certain is a number";
  EXPECT_TRUE(same(run("div(a)", {1, 2}, {2, 4}), {0.25, 1})) << "and divisors of one sign bound the quotient";
  EXPECT_TRUE(same(run("div(a)", {-1, 2}, {-4, -2}), {-1, 0.5}));
}

TEST(Evaluate, OverflowToNanInsideASpanSaysNothing) {
  EXPECT_TRUE(run("to(q,nosat)", {400, 500}).any());
  EXPECT_TRUE(run("to(q,nosat)", {-500, 500}).any()) << "both ends are NaN, zero is not";
  EXPECT_TRUE(same(run("to(q,nosat)", {500, 600}), point(std::nan(""))));
  EXPECT_TRUE(same(run("to(q)", {400, 500}), {384, 448})) << "400 is a tie, and 384 has the even code";
}

TEST(Evaluate, ZeroIsReplacedWhereverItMayBe) {
  EXPECT_TRUE(same(run("if0(a)", {-1, 1}, point(5)), {-1, 5}));
  EXPECT_TRUE(same(run("if0(a)", {0, 1}, point(5)), {0, 5}));
  EXPECT_TRUE(same(run("if0(a)", {1, 2}, point(5)), {1, 2}));
  EXPECT_TRUE(same(run("if0(a)", point(-0.0), point(5)), point(5)));
}

TEST(Evaluate, SmallNumbersAreReplacedWhereverTheyMayBe) {
  EXPECT_TRUE(same(run("ifle(1,a)", {0.5, 1}, point(5)), point(5)));
  EXPECT_TRUE(same(run("ifle(1,a)", {2, 3}, point(5)), {2, 3}));
  EXPECT_TRUE(same(run("ifle(1,a)", {0.5, 3}, point(5)), {1, 5})) << "0.5 is replaced, 1.5 is not";
  EXPECT_TRUE(same(run("ifle(1,a)", {0.5, 3}, point(0.125)), {0.125, 3}));
  EXPECT_TRUE(same(run("ifle(a,5)", {2, 3}, {1, 2.5}), {2, 5})) << "a bound that is open";
  EXPECT_TRUE(same(run("ifle(1,5)", point(std::nan(""))), point(std::nan(""))));
}

TEST(Evaluate, AQuantityThatTheFlowDoesNotNameIsABrokenPromise) {
  Environment environment;
  EXPECT_THROW(evaluate(parse_recipe("mul(s)", kEvalNames), point(1), environment), std::out_of_range);
  environment.set("s", point(2));
  EXPECT_TRUE(same(evaluate(parse_recipe("mul(s)", kEvalNames), point(1), environment), point(2)));
  environment.set("s", point(3));
  EXPECT_TRUE(same(evaluate(parse_recipe("mul(s)", kEvalNames), point(1), environment), point(3))) << "the last value counts";
}

/// What a listener received: the text of each step and the first number after it.
struct Heard : StepListener {
  std::vector<std::pair<std::string, Span>> steps;
  void step(const Step& step, const RowPart& after) override { steps.emplace_back(step.text, after[0]); }
};

TEST(StepListener, HearsTheSpanAfterEachStep) {
  Heard heard;
  Spans row({1, 3});
  evaluate(parse_recipe("div(M) rcp~1", kEvalNames), row, Environment(), &heard);
  ASSERT_EQ(heard.steps.size(), 2u);
  EXPECT_EQ(heard.steps[0].first, "div(M)");
  EXPECT_TRUE(heard.steps[0].second.pinned());
  EXPECT_FALSE(heard.steps[1].second.pinned());
  EXPECT_TRUE(same(heard.steps[1].second, row[0]));
  EXPECT_TRUE(same(heard.steps[1].second, run("div(M) rcp~1", point(1))));
}

TEST(Integers, ANanIsZeroAndWhatDoesNotFitSaturatesWrapsOrIsUndefined) {
  const Span nan = point(std::nan(""));
  for (const char* cell : {"to(int8)", "to(int8,rz)", "to(int8,rna)", "to(int8,wrap)", "int32: rint"})
    EXPECT_TRUE(same(run(cell, nan), point(0))) << cell;
  EXPECT_TRUE(same(run("to(int8,rna)", point(-2.5)), point(-3)));
  EXPECT_TRUE(same(run("to(int8)", point(-2.5)), point(-2)));
  EXPECT_TRUE(same(run("to(int8)", point(HUGE_VAL)), point(127)));
  EXPECT_TRUE(same(run("to(int8,wrap)", point(127.5)), point(-128)));
  EXPECT_TRUE(same(run("to(int8,wrap)", point(1e20)), point(-1))) << "the low byte of the largest int32";
  EXPECT_TRUE(same(run("to(int8,rz,undef)", point(127.9)), point(127)));
  EXPECT_TRUE(same(run("to(int8,rz,undef)", point(-128.9)), point(-128)));
  for (const Span v : {nan, point(128), point(-129), point(-HUGE_VAL), Span{127, 128}})
    EXPECT_TRUE(run("to(int8,rz,undef)", v).any()) << v.high;
  Spans row({1.5, std::nan("")});
  evaluate(parse_recipe("to(int8,rz,undef)", kEvalNames), row, Environment());
  EXPECT_TRUE(same(row[0], point(1)) && row[1].any()) << "a row that was pinned";
}

TEST(Integers, SumsAreExactAndSaturateOrWrap) {
  EXPECT_TRUE(same(run("int32: rint add(a)", point(16777216), point(1)), point(16777217))) << "no number of f32";
  EXPECT_TRUE(same(run("int32: rint add(a)", point(HUGE_VAL), point(1)), point(2147483647)));
  EXPECT_TRUE(same(run("int32: rint add(a,wrap)", point(HUGE_VAL), point(1)), point(-2147483648)));
  EXPECT_TRUE(same(run("int32: rint add(a,wrap)", Span{5, 7}, point(1)), Span{6, 8}));
  EXPECT_TRUE(run("int32: rint add(a,wrap)", Span{5, HUGE_VAL}, point(1)).any()) << "only a part of the span wraps";
  EXPECT_TRUE(run("int32: rint add(a)", point(5), any_number()).any());
}

}  // namespace
}  // namespace assay
