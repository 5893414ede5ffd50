// Checks that the results of correct programs, on numbers from the input intervals, lie in the output interval.
#include <gtest/gtest.h>

#include <functional>
#include <sstream>

#include "reference/testing/legal_results.h"

namespace assay {
namespace {

using namespace eval_cells;

/// Every verb with each form of its arguments, with an allowed error where the verb accepts one.
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
          "ifle(a,1)",
          "ifle(1,a)",
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

using Evaluator = std::function<Span(const Recipe&, Span, Span)>;

Span by_evaluator(const Recipe& recipe, Span v, Span a) {
  Environment environment;
  environment.set("a", a);
  return evaluate(recipe, v, environment);
}

/// The first correct result outside the evaluator's interval, as text; empty if there is none. Programs have 1 to 3 steps.
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
      text << std::hexfloat << cell << "on [" << v.low << ", " << v.high << "] with a = [" << a.low << ", " << a.high
           << "] accepts [" << accepted.low << ", " << accepted.high << "], but " << number << " with " << operand << " gives "
           << result;
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
    return std::isnan(low.low) != std::isnan(high.low) ? any_number()
                                                       : Span{std::fmin(low.low, high.low), std::fmax(low.high, high.high)};
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

/// If the evaluator ignores any one kind of allowed error, its intervals must become too narrow.
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

TEST(Evaluate, RowsAndSingleNumbersAgree) {
  RandomNumbers random(43);
  const std::vector<double> special = special_numbers();
  for (const std::string& word : steps()) {
    const Recipe recipe = parse_recipe(word, kEvalNames);
    Spans row, operand;
    row.low.resize(300), operand.low.resize(300);
    for (size_t i = 0; i < row.size(); ++i)
      row.set(i, random_span(random, special)), operand.set(i, random_span(random, special));
    const Spans before = row;
    Environment environment;
    environment.set("a", operand);
    evaluate(recipe, row, environment);
    for (size_t i = 0; i < row.size(); ++i)
      ASSERT_TRUE(same(row[i], by_evaluator(recipe, before[i], operand[i]))) << word << " " << i;
  }
}

}  // namespace
}  // namespace assay
