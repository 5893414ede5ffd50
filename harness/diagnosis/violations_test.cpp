// Elements that are right one by one and not together: what the diagnosis makes of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/run_hooks.h"
#include "harness/run/judge_outputs.h"
#include "harness/testing/toy_op.h"

namespace assay {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// The toy op, which accepts everything in each element, under a rule that row 1 breaks.
Expectation breaks_a_rule(const Problem& problem) {
  const HostTensor& x = problem.tensors.front();
  const auto elements = size_t(x.spec.elements());
  WholePart y{{"y", x.spec.format, {x.spec.shape[0], x.spec.shape[1]}, "free"},
              std::vector<int32_t>(elements, Interval::anything().low),
              std::vector<int32_t>(elements, Interval::anything().high)};
  return expectation_of({std::move(y)}, {{"one r for a row", "row 1: no single r explains it", 1, {{"y", 1, Place::kWholeRow}}}});
}

Op op_with_rule() {
  Op op = testing::toy_op();
  op.expect = [](const Case&, const Problem& problem, const std::vector<HostTensor>*) { return breaks_a_rule(problem); };
  op.neighbours = [](const Case&) { return std::vector<Hypothesis>{}; };
  return op;
}

std::vector<HostTensor> outputs_of(const Problem& problem) {
  HostTensor y = problem.tensors.back();
  y.bytes = problem.tensors.front().bytes;
  return {y};
}

Verdict judged(const Op& op, const Case& one) {
  const Problem problem = op.problem(one);
  CallResult result;
  result.outputs = outputs_of(problem);
  result.untouched.resize(1), result.in_place.resize(1);
  Verdict verdict = blank_verdict(one, "copy", "toy");
  const Sample sample = judge_outputs(op, one, problem, result, verdict);
  const Backend backend = shared_between_threads(testing::toy_backend());
  look_for_causes(backend)({op, one, problem, &result.outputs, &result, &sample}, verdict);
  return verdict;
}

TEST(Violations, AreNotCalledPadding) {
  const Verdict verdict = judged(op_with_rule(), testing::toy_case("bf16", "4x16"));
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_EQ(verdict.message, "row 1: no single r explains it");
  ASSERT_EQ(verdict.violations.size(), 1u);
  EXPECT_EQ(verdict.violations.front().places.front().row, 1);
  EXPECT_THAT(verdict.causes, Each(Not(HasSubstr("padding"))));
}

TEST(Violations, AreExplainedByAnEditThatBreaksNoRule) {
  Op op = op_with_rule();
  op.neighbours = [](const Case& one) {
    const Op right = testing::toy_op();
    return std::vector<Hypothesis>{{"r: of half a row", [one, right](const Problem& problem, const std::vector<HostTensor>* outputs) {
                                      return right.expect(one, problem, outputs);
                                    }}};
  };
  EXPECT_THAT(judged(op, testing::toy_case("bf16", "4x16")).causes, ElementsAre("explains 1 of 1 failing elements: r: of half a row"));
}

TEST(Violations, AreNotExplainedByAnEditThatBreaksTheRuleToo) {
  Op op = op_with_rule();
  op.neighbours = [](const Case&) {
    return std::vector<Hypothesis>{
        {"eps: another", [](const Problem& problem, const std::vector<HostTensor>*) { return breaks_a_rule(problem); }}};
  };
  EXPECT_THAT(judged(op, testing::toy_case("bf16", "4x16")).causes, ElementsAre("no known cause"));
}

}  // namespace
}  // namespace assay
