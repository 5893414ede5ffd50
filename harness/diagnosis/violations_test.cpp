// Diagnosis of elements that are right one by one but break a rule together.
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

/// The toy op with any element value accepted, under a rule that row 1 breaks.
Expectation breaks_a_rule(const Problem& problem) {
  const HostTensor& x = problem.tensors.front();
  const auto elements = size_t(x.spec.elements());
  WholePart y{{"y", x.spec.format, {x.spec.shape[0], x.spec.shape[1]}, "free"},
              std::vector<int32_t>(elements, Interval::anything().low),
              std::vector<int32_t>(elements, Interval::anything().high)};
  return expectation_of({std::move(y)}, {{"one r for a row", "row 1: no single r explains it", 1, {{"y", 1, Place::kWholeRow}}}});
}

class CaseWithRule : public testing::ToyCase {
 public:
  explicit CaseWithRule(const Case& one, std::vector<Hypothesis> wrong = {}) : ToyCase(one), wrong_(std::move(wrong)) {}
  Expectation expect(const Problem& problem, const std::vector<HostTensor>*) const override { return breaks_a_rule(problem); }
  std::vector<Hypothesis> mutants() const override { return wrong_; }

 private:
  const std::vector<Hypothesis> wrong_;
};

Op op_with_rule(const std::vector<Hypothesis>& wrong = {}) { return testing::toy_op_of<CaseWithRule>(wrong); }

std::vector<HostTensor> outputs_of(const Problem& problem) {
  HostTensor y = problem.tensors.back();
  y.bytes = problem.tensors.front().bytes;
  return {y};
}

Verdict judged(const Op& op, const Case& one) {
  const std::unique_ptr<const BoundCase> bound = op.bind(one);
  const Problem problem = bound->problem();
  CallResult result;
  result.outputs = outputs_of(problem);
  result.untouched.resize(1), result.in_place.resize(1);
  Verdict verdict = blank_verdict(one, "copy", "toy");
  const Sample sample = judge_outputs(*bound, problem, result, verdict);
  const Backend backend = shared_between_threads(testing::toy_backend());
  look_for_causes(backend)({*bound, one, problem, &result.outputs, &result, &sample}, verdict);
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
  const Case one = testing::toy_case("bf16", "4x16");
  const Op op = op_with_rule({{"r: of half a row", [one](const Problem& problem, const std::vector<HostTensor>* outputs) {
                                 return testing::ToyCase(one).expect(problem, outputs);
                               }}});
  EXPECT_THAT(judged(op, one).causes, ElementsAre("explains 1 of 1 failing elements: r: of half a row"));
}

TEST(Violations, AreNotExplainedByAnEditThatBreaksTheRuleToo) {
  const Op op = op_with_rule(
      {{"eps: another", [](const Problem& problem, const std::vector<HostTensor>*) { return breaks_a_rule(problem); }}});
  EXPECT_THAT(judged(op, testing::toy_case("bf16", "4x16")).causes, ElementsAre("no known cause"));
}

}  // namespace
}  // namespace assay
