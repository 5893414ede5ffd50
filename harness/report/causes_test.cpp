// Causes are parsed, merged and compared by their text alone.
#include "harness/report/causes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/diagnosis/diagnose.h"
#include "harness/report/failure_groups.h"
#include "harness/report/reconcile.h"
#include "harness/testing/sample_verdicts.h"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Causes, TheWordsOfDiagnosisAreReadBack) {
  const Cause one{{{"x", "scale: ceil -> floor", 0}}, 13, 12, 1};
  const Cause two{{{"x", "scale: ceil -> floor", 4}, {"y", "q: rne -> rz", 8}}, 12, 12, 0};
  const std::optional<ToldCause> first = parse_cause(causes_in_words({one}).front());
  ASSERT_TRUE(first);
  EXPECT_EQ(first->explained, 12);
  EXPECT_EQ(first->failing, 13);
  EXPECT_EQ(first->contradicted, 1);
  EXPECT_EQ(first->mistake, "scale: ceil -> floor");
  EXPECT_FALSE(first->complete());
  const std::optional<ToldCause> second = parse_cause(causes_in_words({two}).front());
  ASSERT_TRUE(second);
  EXPECT_EQ(second->mistake, "scale: ceil -> floor; and q: rne -> rz");
  EXPECT_TRUE(second->complete());
  EXPECT_FALSE(parse_cause(causes_in_words({}).front()));
  EXPECT_TRUE(is_unknown(causes_in_words({}).front()));
}

TEST(Causes, NumbersAreMaskedButNotThoseWithinWords) {
  EXPECT_EQ(with_numbers_masked("rows 3 .. 17 at [0, 12] of e4m3fn, pow2, 0x7f, -1.5e-06, max(448)"),
            "rows # .. # at [#, #] of e4m3fn, pow2, #, max(#)");
  EXPECT_EQ(with_numbers_masked("byte 0 in 1 of 3 words, byte 1 in 2 of 3 words, byte 2 in 0 of 3 words; so"),
            "byte # in # of # words, byte # in # of # words; so");
  EXPECT_EQ(with_numbers_masked("a, byte 0 in 1 words, byte 1 in 2 words, b"), "a, byte # in # words, b");
  EXPECT_EQ(with_numbers_masked("2026"), "#");
  EXPECT_EQ(with_numbers_masked(""), "");
}

/// A failing case of one kernel with these causes.
Verdict failing(const std::string& data, std::vector<std::string> causes) {
  Verdict v = testing::verdict(Outcome::kFail, "quant_group/" + data + "/w32");
  v.causes = std::move(causes);
  return v;
}

std::string complete(int elements, const std::string& mistake) {
  return "explains " + std::to_string(elements) + " of " + std::to_string(elements) + " failing elements: " + mistake;
}

RunResult reconciled(std::vector<Verdict> verdicts) {
  RunResult result;
  result.verdicts = std::move(verdicts);
  reconcile(result);
  return result;
}

TEST(Reconcile, OneOfOneIsNeverAsserted) {
  const RunResult result = reconciled({failing("a", {complete(1, "floor")})});
  EXPECT_THAT(result.verdicts[0].causes, ElementsAre("no known cause; too few failing elements to decide, floor would fit",
                                                     "not asserted, too few elements: explains 1 of 1 failing elements: floor"));
}

TEST(Reconcile, ManyElementsOrTwoSetsOfDataAreEnough) {
  EXPECT_THAT(reconciled({failing("a", {complete(kEnoughElements, "floor")})}).verdicts[0].causes,
              ElementsAre(complete(kEnoughElements, "floor")));
  const RunResult two = reconciled({failing("a", {complete(1, "floor")}), failing("b", {complete(2, "floor")})});
  EXPECT_THAT(two.verdicts[0].causes, ElementsAre(complete(1, "floor")));
  Verdict twin = failing("a", {complete(1, "floor")});
  twin.case_id = "quant_group/a/w64";
  twin.warp = "64";
  EXPECT_THAT(reconciled({failing("a", {complete(1, "floor")}), twin}).verdicts[0].causes.front(), StartsWith("no known cause"))
      << "the same data at another warp size is no second witness";
}

TEST(Reconcile, AViolationBetweenElementsIsMoreThanOneElement) {
  Verdict row = failing("a", {complete(1, "another r")});
  row.violations = {{"one r for a row", "row 3: no single r explains it", 3, {}}};
  EXPECT_THAT(reconciled({row}).verdicts[0].causes, ElementsAre(complete(1, "another r")));
}

TEST(Reconcile, AWeakCauseThatAnotherCaseDoesNotShowIsRefuted) {
  const RunResult result = reconciled({failing("a", {complete(1, "floor")}), failing("b", {complete(90, "truncated")})});
  EXPECT_THAT(result.verdicts[0].causes, ElementsAre("no known cause; floor fits 1 case, refuted by 1",
                                                     "refuted by quant_group/b: explains 1 of 1 failing elements: floor"));
  EXPECT_THAT(result.verdicts[1].causes, ElementsAre(complete(90, "truncated")));
}

TEST(Reconcile, OfTwoThatFitOneCaseTheOneThatFitsAnotherTooIsLeft) {
  const RunResult result = reconciled({failing("a", {complete(50, "floor"), complete(50, "truncated")}),
                                       failing("b", {complete(90, "truncated")}), failing("c", {complete(9, "truncated")})});
  EXPECT_THAT(result.verdicts[0].causes,
              ElementsAre(complete(50, "truncated"), "refuted by quant_group/b and 1 more: " + complete(50, "floor")));
}

TEST(Reconcile, StrongCausesOfTwoCasesBothStandSinceOneMayNotHaveBeenTriedInTheOther) {
  const RunResult result =
      reconciled({failing("row", {complete(50, "layout: row -> column")}), failing("tma", {complete(90, "layout: tma -> row")})});
  EXPECT_THAT(result.verdicts[0].causes, ElementsAre(complete(50, "layout: row -> column")));
  EXPECT_THAT(result.verdicts[1].causes, ElementsAre(complete(90, "layout: tma -> row")));
}

TEST(Reconcile, AListThatMayBeCutRefutesNothing) {
  const RunResult result =
      reconciled({failing("a", {complete(1, "floor")}), failing("b", {complete(90, "x"), complete(90, "y"), complete(90, "z")})});
  EXPECT_THAT(result.verdicts[0].causes.front(), HasSubstr("too few failing elements"));
}

TEST(Reconcile, KernelsAndContractsDoNotSpeakForEachOther) {
  Verdict other = failing("b", {complete(90, "truncated")});
  other.kernel = "another";
  Verdict contract = failing("c", {complete(90, "truncated")});
  contract.contract = "another";
  EXPECT_THAT(reconciled({failing("a", {complete(1, "floor")}), other, contract}).verdicts[0].causes.front(),
              HasSubstr("too few failing elements"));
}

TEST(Reconcile, OtherWordsStandAsTheyAre) {
  Verdict broken = testing::verdict(Outcome::kBroken);
  broken.causes = {complete(1, "floor")};
  const std::vector<std::string> race = {"race: q changes from call to call"},
                                 padding = {complete(9, "floor"), "padding: unwritten"};
  const RunResult result = reconciled({failing("a", race), failing("b", padding), broken});
  EXPECT_EQ(result.verdicts[0].causes, race);
  EXPECT_EQ(result.verdicts[1].causes, padding);
  EXPECT_EQ(result.verdicts[2].causes, broken.causes);
}

TEST(FailureGroups, UnknownCausesOfTwoKernelsAreNotOne) {
  RunResult result;
  for (const char* kernel : {"a", "b", "b"}) {
    result.verdicts.push_back(failing(kernel, {"no known cause"}));
    result.verdicts.back().kernel = kernel;
  }
  const std::vector<FailureGroup> groups = failures_by_cause(result);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_THAT(groups[0].kernels, ElementsAre("b")) << "the most verdicts first";
  EXPECT_EQ(groups[0].verdicts, 2);
}

TEST(FailureGroups, KnownDeviationsComeLast) {
  RunResult result;
  result.verdicts = {failing("a", {complete(9, "known")}), failing("b", {complete(9, "known")}),
                     failing("c", {complete(9, "new")})};
  for (size_t i : {0u, 1u}) result.verdicts[i].expected = "fail", result.verdicts[i].deviation = "expects fail";
  const std::vector<FailureGroup> groups = failures_by_cause(result);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].cause, "new");
  EXPECT_TRUE(groups[1].expected);
}

}  // namespace
}  // namespace assay
