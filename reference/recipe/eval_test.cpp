#include "reference/recipe/eval.h"

#include <gtest/gtest.h>

#include <functional>
#include <sstream>

#include "reference/recipe/parse.h"
#include "reference/recipe/verbs.h"
#include "reference/testing/f32.h"

namespace assay {
namespace {

const Names kEvalNames{{{"M", "448"}}, {{"x", &kBf16}, {"q", &kE4M3Fn}}, {"a", "s"}};

Span run(const std::string& cell, Span v, Span a = point(1)) {
  Environment environment;
  environment.set("a", a);
  environment.set("s", a);
  return evaluate(parse_recipe(cell, kEvalNames), v, environment);
}

/// a <= b with -0 below +0: they are two codes.
bool not_above(double a, double b) { return a < b || (a == b && (a != 0 || std::signbit(a) || !std::signbit(b))); }

bool accepts(Span span, double value) {
  if (span.any()) return true;
  if (std::isnan(value) || std::isnan(span.low)) return std::isnan(value) && std::isnan(span.low);
  return not_above(span.low, value) && not_above(value, span.high);
}

bool same(Span a, Span b) {
  const auto end = [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); };
  return end(a.low, b.low) && end(a.high, b.high);
}

// ---- soundness: whatever a legal program makes of numbers inside the input spans lies inside the output span

/// Every way in which a step may be written; slack where a verb takes it.
std::vector<std::string> steps() {
  return {"add(a)",
          "sub(a)",
          "mul(a)",
          "div(a)",
          "rdiv(a)",
          "rcp",
          "rcp~1",
          "neg",
          "abs",
          "max(a)",
          "max(a,keep)",
          "min(a)",
          "min(a,keep)",
          "max(1e-10)",
          "clamp(max_min,M)",
          "clamp(min_max,M)",
          "clamp(keep,M)",
          "if0(a)",
          "if0(1)",
          "ceil",
          "rint",
          "trunc",
          "pow2(ceil)",
          "pow2(floor)",
          "pow2(even)",
          "exp~2",
          "exp2",
          "log2",
          "log2~1",
          "sqrt",
          "rsqrt~2",
          "to(q)",
          "to(q,nosat)",
          "to(x)",
          "to(x,rz)",
          "to(e4m3fnuz,nosat)",
          "to(e8m0)",
          "to(int8)",
          "to(int8,rz)",
          "to(int8,rna)",
          "to(int8,wrap)",
          "to(int8,rz,undef)",
          "int32: rint add(a) f32:",
          "int32: trunc add(a,wrap) f32:",
          "exp~2+1.173v",
          "tanh",
          "tanh~2^-11",
          "erf",
          "erf~2",
          "rdiv(a,fast)~2",
          "bf16: tanh~2^-6",
          "div(a)~2",
          "mul(a)~1",
          "bf16: add(a)",
          "f16: mul(a)",
          "f16: div(M)~1",
          "mul(a*a)",
          "f32: add(a*a)",
          "f32: sub(a*a)~fma",
          "f32: mul(a) add(a*a)~fma",
          "f32: mul(a) sub(a)~fma"};
}

/// A span of numbers of f32: a point, a thin one, a wide one, one with an end at zero or infinity, NaN, or any.
Span random_span(RandomNumbers& random, const std::vector<double>& special) {
  const auto number = [&] { return random.below(3) == 0 ? special[random.below(special.size())] : random.of(kF32); };
  const double x = number();
  if (std::isnan(x)) return random.below(2) == 0 ? point(x) : any_number();
  switch (random.below(4)) {
    case 0: return point(x);
    case 1: {
      double high = x;
      for (uint64_t i = random.below(5); i > 0; --i) high = next_up(kF32, high);
      return {x, high};
    }
    default: {
      const double y = number();
      return std::isnan(y) ? point(x) : not_above(x, y) ? Span{x, y} : Span{y, x};
    }
  }
}

/// A number that the span stands for: an end, a zero inside, or one between.
double inside(RandomNumbers& random, Span span) {
  if (span.any()) return random.below(2) == 0 ? std::nan("") : random.of(kF32);
  if (span.pinned()) return span.low;
  switch (random.below(5)) {
    case 0: return span.low;
    case 1: return span.high;
    case 2: return span.low < 0 && span.high > 0 ? 0.0 : span.low;
    default: {
      const int64_t low = ordinal_of_value(kF32, span.low), high = ordinal_of_value(kF32, span.high);
      return decode(kF32, code_from_ordinal(kF32, int32_t(low + int64_t(random.below(uint64_t(high - low + 1))))));
    }
  }
}

Step without_freedom(Step step) {
  step.slack_ulps = 0;
  step.slack_per_unit = step.slack_relative = 0;
  step.fast = step.contracted = false;
  return step;
}

/// v +- a a, or v +- a, where a compiler has made a fused multiply-add of one product: of this one, or of the one before, which was
/// number * factor.
double fused_sum(RandomNumbers& random, const Step& step, double v, double a, const std::pair<double, double>* before) {
  const double sign = step.verb == Verb::kSub ? -1 : 1;
  const auto fma = [](double x, double y, double z) {
    const bool beyond_f32 = std::isfinite(x) && std::isinf(float(x));  // pow2 makes 2^128
    return beyond_f32 ? round_to(kF32, x * y + z, Rounding::kNearestEven, Overflow::kSpecial) : double(std::fma(float(x), float(y), float(z)));
  };
  const bool alone = step.a.times.empty();
  if (before == nullptr || random.below(2) == 0) return fma(sign * a, alone ? 1 : a, v);
  return fma(before->first, before->second, sign * (alone ? a : double(float(a * a))));
}

/// One legal result of a recipe on numbers: after a step with slack, some number that it allows.
double legal_result(RandomNumbers& random, const Recipe& recipe, double v, const Environment& environment) {
  std::pair<double, double> product;
  const std::pair<double, double>* before = nullptr;
  for (const Step& step : recipe.steps) {
    Recipe single;
    single.steps = {step};
    single.steps[0] = without_freedom(step);
    const double argument = v, a = environment.get("a").scalar.low;
    v = evaluate(single, point(v), environment).low;
    if (step.contracted && random.below(3) > 0) v = fused_sum(random, step, argument, a, before);
    product = {argument, a};
    before = step.text == "mul(a)" && *step.working == kF32 ? &product : nullptr;
    const double exact = v;
    if (v == 0 || !std::isfinite(v)) continue;
    const double earned = std::floor(step.slack_per_unit * std::fabs(argument));
    const uint64_t ulps = uint64_t(step.slack_ulps) + uint64_t(std::isfinite(earned) ? earned : 0);
    for (uint64_t i = random.below(ulps + 1), up = random.below(2); i > 0 && v != 0; --i) {
      const double next = up ? next_up(*step.working, v) : next_down(*step.working, v);
      if (std::isfinite(next)) v = next;
    }
    if (step.slack_relative > 0 && std::isfinite(argument)) {
      const double part = step.slack_relative * (double(random.below(2049)) - 1024) / 1024;
      const double near = round_to(*step.working, exact * (1 + part), Rounding::kNearestEven, Overflow::kSpecial);
      if (std::fabs(near - exact) <= step.slack_relative * std::fabs(exact)) v = near;
    }
    if (step.fast && std::fabs(argument) > 0x1p126 && random.below(2) == 0) v = std::copysign(0.0, v);
  }
  return v;
}

using Evaluator = std::function<Span(const Recipe&, Span, Span)>;

Span by_evaluator(const Recipe& recipe, Span v, Span a) {
  Environment environment;
  environment.set("a", a);
  return evaluate(recipe, v, environment);
}

/// The first legal result outside of the evaluator's span, as text, or nothing. Programs of one to three steps.
std::string unsound(const Evaluator& evaluator, int programs, int64_t* judged = nullptr) {
  RandomNumbers random(41);
  const std::vector<double> special = special_numbers();
  const std::vector<std::string> words = steps();
  for (int i = 0; i < programs; ++i) {
    std::string cell;
    for (uint64_t n = 1 + random.below(3); n > 0; --n) cell += words[random.below(words.size())] + " ";
    const Recipe recipe = parse_recipe(cell, kEvalNames);
    const Span v = random_span(random, special), a = random_span(random, special);
    const Span accepted = evaluator(recipe, v, a);
    if (judged) *judged += !accepted.any();
    if (!accepted.any() && accepted.low > accepted.high) return cell + "gives an empty span";
    for (int trial = 0; trial < 6; ++trial) {
      Environment environment;
      const double number = inside(random, v), operand = inside(random, a);
      environment.set("a", point(operand));
      const double result = legal_result(random, recipe, number, environment);
      if (accepts(accepted, result)) continue;
      std::ostringstream text;
      text << std::hexfloat << cell << "on [" << v.low << ", " << v.high << "] with a = [" << a.low << ", " << a.high << "] accepts ["
           << accepted.low << ", " << accepted.high << "], but " << number << " with " << operand << " gives " << result;
      return text.str();
    }
  }
  return {};
}

TEST(Evaluate, EveryLegalResultLiesInsideTheSpan) {
  int64_t judged = 0;
  EXPECT_EQ(unsound(by_evaluator, 200000, &judged), "");
  EXPECT_GT(judged, 100000) << "most spans must say something";
}

TEST(Evaluate, EvaluatorsThatAreWrongInOneRespectAreCaught) {
  const Evaluator ends_only = [](const Recipe& recipe, Span v, Span a) {
    const Span low = by_evaluator(recipe, point(v.low), point(a.low)), high = by_evaluator(recipe, point(v.high), point(a.high));
    return std::isnan(low.low) != std::isnan(high.low) ? any_number() : Span{std::fmin(low.low, high.low), std::fmax(low.high, high.high)};
  };
  const Evaluator without_slack = [](Recipe recipe, Span v, Span a) {
    for (Step& step : recipe.steps) step = without_freedom(step);
    return by_evaluator(recipe, v, a);
  };
  const Evaluator one_step_short = [](const Recipe& recipe, Span v, Span a) {
    Span span = by_evaluator(recipe, v, a);
    if (!span.pinned() && !span.any() && std::isfinite(span.high)) span.high = std::nextafter(span.high, -HUGE_VAL);
    return span;
  };
  const Evaluator never_any = [](const Recipe& recipe, Span v, Span a) {
    const Span span = by_evaluator(recipe, v, a);
    return span.any() ? Span{-HUGE_VAL, HUGE_VAL} : span;
  };
  EXPECT_NE(unsound(ends_only, 20000), "");
  EXPECT_NE(unsound(without_slack, 20000), "");
  EXPECT_NE(unsound(one_step_short, 20000), "");
  EXPECT_NE(unsound(never_any, 20000), "");
}

TEST(Evaluate, PinnedInputsAndNoSlackGiveOneNumber) {
  RandomNumbers random(42);
  for (const std::string& word : steps()) {
    if (word.find('~') != std::string::npos || word.find("undef") != std::string::npos) continue;
    for (int i = 0; i < 200; ++i) {
      const Span result = run(word, point(random.of(kF32)), point(random.of(kF32)));
      ASSERT_TRUE(result.pinned()) << word;
    }
  }
  EXPECT_FALSE(run("rcp~1", point(3)).pinned());
}

/// Each freedom by itself: an evaluator that has all others.
TEST(Evaluate, EveryKindOfFreedomIsNeeded) {
  const auto without = [](void (*take)(Step&)) {
    return [take](Recipe recipe, Span v, Span a) {
      for (Step& step : recipe.steps) take(step);
      return by_evaluator(recipe, v, a);
    };
  };
  EXPECT_NE(unsound(without([](Step& step) { step.slack_per_unit = 0; }), 20000), "");
  EXPECT_NE(unsound(without([](Step& step) { step.slack_relative /= 2; }), 20000), "");
  EXPECT_NE(unsound(without([](Step& step) { step.fast = false; }), 20000), "");
  EXPECT_NE(unsound(without([](Step& step) { step.contracted = false; }), 100000), "");
}

TEST(Evaluate, FreedomIsNoWiderThanItsSourceSays) {
  // exp(8): 2 + floor(9.384) = 11 steps on each side, and not 12.
  const double right = run("exp", point(8)).low;
  double low = right, high = right;
  for (int i = 0; i < 11; ++i) low = next_down(kF32, low), high = next_up(kF32, high);
  EXPECT_TRUE(same(run("exp~2+1.173v", point(8)), {low, high}));
  EXPECT_TRUE(same(run("exp~2+1.173v", point(-8)), run("exp~11", point(-8))));
  // Exactly the numbers of the grid within 2^-11 of tanh(1).
  const Span tanh_1 = run("tanh~2^-11", point(1));
  const double exact = std::tanh(1.0);
  EXPECT_LE(std::fabs(tanh_1.low / exact - 1), 0x1p-11 + 0x1p-24);
  EXPECT_GT(std::fabs(next_down(kF32, tanh_1.low) / exact - 1), 0x1p-11);
  EXPECT_LE(std::fabs(tanh_1.high / exact - 1), 0x1p-11 + 0x1p-24);
  EXPECT_GT(std::fabs(next_up(kF32, tanh_1.high) / exact - 1), 0x1p-11);
  EXPECT_TRUE(same(run("tanh~2^-11", point(HUGE_VAL)), point(1))) << "an infinite argument has an exact result";
  EXPECT_TRUE(same(run("tanh~2^-11", point(-0.0)), point(-0.0)));
  // A divisor up to 2^126 is divided by; beyond it a zero of the quotient's sign will do.
  EXPECT_TRUE(run("rdiv(a,fast)", point(0x1p126), point(-3)).pinned());
  EXPECT_TRUE(same(run("rdiv(a,fast)", point(0x1.8p126), point(-3)), {-0x1p-125, -0.0}));
  EXPECT_TRUE(std::signbit(run("rdiv(a,fast)", point(0x1.8p126), point(-3)).high));
  EXPECT_TRUE(std::isnan(run("rdiv(a,fast)", point(HUGE_VAL), point(-HUGE_VAL)).high));
}

TEST(Evaluate, RowsAndSingleNumbersAgree) {
  RandomNumbers random(43);
  const std::vector<double> special = special_numbers();
  for (const std::string& word : steps()) {
    const Recipe recipe = parse_recipe(word, kEvalNames);
    Spans row, operand;
    row.low.resize(300), operand.low.resize(300);
    for (size_t i = 0; i < row.size(); ++i) row.set(i, random_span(random, special)), operand.set(i, random_span(random, special));
    const Spans before = row;
    Environment environment;
    environment.set("a", operand);
    evaluate(recipe, row, environment);
    for (size_t i = 0; i < row.size(); ++i) ASSERT_TRUE(same(row[i], by_evaluator(recipe, before[i], operand[i]))) << word << " " << i;
  }
}

// ---- slack

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

// ---- NaN, any, poles

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
  for (const char* word : {"add(a)", "mul(a)", "rcp", "neg", "abs", "sqrt", "to(q)", "to(q,nosat)", "max(a,keep)", "clamp(keep,M)", "if0(a)"})
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

TEST(Evaluate, AQuantityThatTheFlowDoesNotNameIsABrokenPromise) {
  Environment environment;
  EXPECT_THROW(evaluate(parse_recipe("mul(s)", kEvalNames), point(1), environment), std::out_of_range);
  environment.set("s", point(2));
  EXPECT_TRUE(same(evaluate(parse_recipe("mul(s)", kEvalNames), point(1), environment), point(2)));
  environment.set("s", point(3));
  EXPECT_TRUE(same(evaluate(parse_recipe("mul(s)", kEvalNames), point(1), environment), point(3))) << "the last value counts";
}

/// What a listener was told: texts of steps and the first number after each.
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

// ---- integers

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
