// Compares the evaluation of recipes with MPFR: steps, narrowing, and loops of every instruction set.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <stdexcept>

#include "reference/recipe/eval.h"
#include "reference/recipe/recipe.h"
#include "reference/testing/legal_results.h"
#include "reference/testing/mpfr_programs.h"

namespace assay {

// Intervals of single steps: their width for each allowed error, and results for NaN, poles, zeros and integers.

namespace {

using namespace eval_cells;

TEST(Evaluate, FreedomIsNoWiderThanItsSourceSays) {
  // exp(8)~2+1.173v: exactly 2 + floor(1.173 * 8) = 11 f32 values on each side
  const double right = run("exp", point(8)).low;
  double low = right, high = right;
  for (int i = 0; i < 11; ++i) low = next_down(kF32, low), high = next_up(kF32, high);
  EXPECT_TRUE(same(run("exp~2+1.173v", point(8)), {low, high}));
  EXPECT_TRUE(same(run("exp~2+1.173v", point(-8)), run("exp~11", point(-8))));
  // exactly the f32 values within 2^-11 of tanh(1), relative
  const Span tanh_1 = run("tanh~2^-11", point(1));
  const double exact = std::tanh(1.0);
  EXPECT_LE(std::fabs(tanh_1.low / exact - 1), 0x1p-11 + 0x1p-24);
  EXPECT_GT(std::fabs(next_down(kF32, tanh_1.low) / exact - 1), 0x1p-11);
  EXPECT_LE(std::fabs(tanh_1.high / exact - 1), 0x1p-11 + 0x1p-24);
  EXPECT_GT(std::fabs(next_up(kF32, tanh_1.high) / exact - 1), 0x1p-11);
  EXPECT_TRUE(same(run("tanh~2^-11", point(HUGE_VAL)), point(1))) << "an infinite argument has an exact result";
  EXPECT_TRUE(same(run("tanh~2^-11", point(-0.0)), point(-0.0)));
  // for a divisor up to 2^126, the quotient; beyond it, a zero with the quotient's sign is also accepted
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
  for (const char* word : {"add(a)", "mul(a)", "rcp", "neg", "abs", "sqrt", "to(q)", "to(q,nosat)", "max(a,keep)",
                           "clamp(keep,M)", "if0(a)", "ifle(1,a)"})
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

/// A listener that collects the text of each step and the first value after it.
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
  EXPECT_TRUE(run("to(e2m1,undef)", nan).any()) << "a software cast that does not test for NaN";
  EXPECT_TRUE(same(run("to(e2m1,undef)", point(HUGE_VAL)), point(6)));
  EXPECT_TRUE(same(run("to(e2m1,rz,undef)", point(-3.9)), point(-3)));
  EXPECT_TRUE(same(run("to(e2m1)", nan), point(6)));
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

const Names kNarrowNames{{{"M", "448"}}, {}, {}};

double at(int64_t ordinal) { return decode(kF32, code_from_ordinal(kF32, int32_t(ordinal))); }

/// All f32 values in `hidden` that the recipe can map to `stored`, found by trying each.
std::optional<Span> by_trying_all(const Recipe& recipe, Span hidden, double stored) {
  std::optional<Span> fits;
  for (int64_t o = ordinal_of_value(kF32, hidden.low); o <= ordinal_of_value(kF32, hidden.high); ++o) {
    const Span result = evaluate(recipe, point(at(o)), Environment{});
    if (!(result.low <= stored && stored <= result.high)) continue;
    if (!fits) fits = point(at(o));
    fits->high = at(o);
  }
  return fits;
}

bool same(const std::optional<Span>& a, const std::optional<Span>& b) {
  return a.has_value() == b.has_value() && (!a || (a->low == b->low && a->high == b->high));
}

TEST(Narrow, FindsExactlyTheValuesThatTryingAllFinds) {
  RandomNumbers random(61);
  int64_t found = 0, empty = 0;
  for (const char* cell : {"div(M)", "mul(1/M)", "div(M)~2", "div(M) pow2(ceil)", "div(M) max(1e-10)", "bf16: mul(1/M)"}) {
    const Recipe recipe = parse_recipe(cell, kNarrowNames);
    for (int i = 0; i < 60; ++i) {
      const double middle = i % 7 == 0 ? 448 : std::fabs(random.of(kF32));
      if (!(middle > 0x1p-100 && middle < 0x1p100)) continue;
      const int64_t o = ordinal_of_value(kF32, middle), width = int64_t(random.below(300));
      const Span hidden{at(o - width), at(o + width)};
      const Span reached = evaluate(recipe, hidden, Environment{});
      for (double stored : {reached.low, reached.high, next_up(kF32, reached.high), next_down(kF32, reached.low),
                            evaluate(recipe, point(middle), Environment{}).low}) {
        const auto narrowed = narrow(recipe, hidden, stored, Environment{});
        ASSERT_TRUE(same(narrowed, by_trying_all(recipe, hidden, stored)))
            << cell << " around " << middle << " stored " << stored;
        narrowed ? ++found : ++empty;
      }
    }
  }
  EXPECT_GT(found, 100);
  EXPECT_GT(empty, 100);
}

TEST(Narrow, AnotherStoredValueLeavesOtherHiddenOnes) {
  const Recipe recipe = parse_recipe("div(M)", kNarrowNames);
  const Span hidden{at(ordinal_of_value(kF32, 448) - 50), at(ordinal_of_value(kF32, 448) + 50)};
  EXPECT_FALSE(same(narrow(recipe, hidden, 1, Environment{}), narrow(recipe, hidden, next_up(kF32, 1), Environment{})));
  EXPECT_FALSE(same(narrow(recipe, hidden, 1, Environment{}), hidden));
}

TEST(Narrow, ANanStaysAsItIs) {
  const Recipe recipe = parse_recipe("div(M)", kNarrowNames);
  EXPECT_TRUE(narrow(recipe, any_number(), 1, Environment{})->any());
  EXPECT_TRUE(std::isnan(narrow(recipe, point(std::nan("")), 1, Environment{})->low));
}

TEST(Narrow, WishesInBothDirectionsLeaveNothing) {
  const auto wants = [](double lower, double upper) {
    return [=](double v) {
      return v < lower ? v > upper ? Direction::kBoth : Direction::kUp : v > upper ? Direction::kDown : Direction::kFits;
    };
  };
  EXPECT_TRUE(same(narrow({1, 2}, kF32, wants(1.25, 1.75)), Span{1.25, 1.75}));
  EXPECT_FALSE(narrow({1, 2}, kF32, wants(1.75, 1.25)).has_value());
  EXPECT_FALSE(narrow({1, 2}, kF32, wants(3, 4)).has_value());
  EXPECT_FALSE(narrow({1, 2}, kF32, wants(0.25, 0.5)).has_value());
  for (int k = 1; k < 2000; ++k) {
    const double up = at(ordinal_of_value(kF32, 1.0) + k);
    ASSERT_FALSE(narrow({1, 2}, kF32, wants(next_up(kF32, up), up)).has_value()) << "neighbours that exclude each other";
    ASSERT_TRUE(same(narrow({1, 2}, kF32, wants(up, up)), point(up)));
  }
}

struct Rows {
  std::vector<double> low, high, b_low, b_high;
};

/// Random numbers and all pairs of special ones. Their count is odd, so that every vector width leaves a remainder.
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
  for (size_t i = 0; i < r.low.size(); i += 17) r.low[i] = std::nan("");  // makes some of the intervals `any`
  return r;
}

/// The bits of all values; all NaN give the same bits.
std::vector<uint64_t> bits(const std::vector<double>& values) {
  std::vector<uint64_t> all;
  for (double x : values) all.push_back(std::isnan(x) ? 1 : std::bit_cast<uint64_t>(x));
  return all;
}

constexpr Verb kVerbs[] = {Verb::kAdd, Verb::kSub, Verb::kMul, Verb::kDiv, Verb::kRdiv};

/// The results of all loops of one instruction set.
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
