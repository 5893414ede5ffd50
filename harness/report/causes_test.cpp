// Tests causes.h, which parses, merges and compares causes by their text alone.
#include "harness/report/causes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "harness/diagnosis/diagnose.h"
#include "harness/report/failure_groups.h"
#include "harness/report/report.h"
#include "harness/report/verdict_text.h"
#include "harness/testing/sample_verdicts.h"
#include "harness/text/messages.h"

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
  EXPECT_THAT(causes_in_words({one}).front(), StartsWith("explains only 12 of 13 failing elements"));
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

TEST(Reconcile, WhatCasesShareInWhichNothingIsWrittenIsSaid) {
  const auto unwritten = [](const std::string& shape) {
    Verdict v = testing::verdict(Outcome::kBroken, "quant_group/c/" + shape + "/normal.s1/w32");
    v.causes = {"never written: no element of any output: no kernel is launched", "never written: 8 of 8 elements of q"};
    return v;
  };
  const auto passed = [](const std::string& shape) {
    return testing::verdict(Outcome::kPass, "quant_group/c/" + shape + "/normal.s1/w32");
  };
  EXPECT_THAT(reconciled({unwritten("bf16.m1.n8"), unwritten("bf16.m1.n64"), passed("bf16.m4.n8"), passed("f16.m3.n64")})
                  .verdicts[1]
                  .causes,
              ElementsAre(StartsWith("never written: no element of any output: "),
                          "only the 2 cases with m1 write nothing; the kernel's 2 other cases write their outputs",
                          StartsWith("never written: ")));
  EXPECT_EQ(reconciled({unwritten("bf16.m1.n8"), passed("bf16.m1.n16"), passed("f16.m3.n8")}).verdicts[0].causes.size(), 2u)
      << "each parameter also occurs where outputs are written";
  EXPECT_EQ(reconciled({unwritten("bf16.m1.n8"), passed("f16.m3.n8")}).verdicts[0].causes.size(), 2u) << "a single other case";
}

TEST(Reconcile, OneOfOneIsNeverAsserted) {
  const RunResult result = reconciled({failing("a", {complete(1, "floor")})});
  EXPECT_THAT(result.verdicts[0].causes, ElementsAre("probably floor (1 element fits; too few to assert)"));
  EXPECT_EQ(first_mistake(result.verdicts[0]), "probably floor") << "another number of elements is the same cause";
  EXPECT_TRUE(is_unknown(first_mistake(result.verdicts[0]))) << "it is not asserted";
}

TEST(Reconcile, OfSeveralCausesWithFewElementsTheFirstIsProbableAndTheOthersFollow) {
  EXPECT_THAT(reconciled({failing("a", {complete(2, "floor"), complete(2, "trunc")})}).verdicts[0].causes,
              ElementsAre("probably floor (2 elements fit; too few to assert)",
                          "not asserted, too few elements: " + complete(2, "trunc")));
}

TEST(Reconcile, ManyElementsOrTwoSetsOfDataAreEnough) {
  EXPECT_THAT(reconciled({failing("a", {complete(kEnoughElements, "floor")})}).verdicts[0].causes,
              ElementsAre(complete(kEnoughElements, "floor")));
  const RunResult two = reconciled({failing("a", {complete(1, "floor")}), failing("b", {complete(2, "floor")})});
  EXPECT_THAT(two.verdicts[0].causes, ElementsAre(complete(1, "floor")));
  Verdict twin = failing("a", {complete(1, "floor")});
  twin.case_id = "quant_group/a/w64";
  twin.warp = "64";
  EXPECT_THAT(reconciled({failing("a", {complete(1, "floor")}), twin}).verdicts[0].causes.front(), StartsWith("probably "))
      << "the same data at another warp size is not a second witness";
}

TEST(Reconcile, AViolationBetweenElementsIsMoreThanOneElement) {
  Verdict row = failing("a", {complete(1, "another r")});
  row.violations = {{"one r for a row", "row 3: no single r explains it", 3, {}}};
  EXPECT_THAT(reconciled({row}).verdicts[0].causes, ElementsAre(complete(1, "another r")));
}

TEST(Reconcile, AWeakCauseThatAnotherCaseDoesNotShowIsRefuted) {
  const RunResult result = reconciled({failing("a", {complete(1, "floor")}), failing("b", {complete(90, "truncated")})});
  EXPECT_THAT(result.verdicts[0].causes, ElementsAre("no known cause; 'floor' explains 1 case, and 1 refutes it",
                                                     "refuted by quant_group/b: explains 1 of 1 failing elements: floor"));
  EXPECT_THAT(result.verdicts[1].causes, ElementsAre(complete(90, "truncated")));
}

TEST(Reconcile, ACaseThatAMistakeWouldFitDoesNotRefuteIt) {
  const auto first = [](const std::string& fits) {
    return reconciled({failing("a", {complete(3, "floor")}),
                       failing("b", {"pattern: q holds 0 in every element (9 of 9 wrong elements)", fits})})
        .verdicts[0]
        .causes.front();
  };
  EXPECT_EQ(first("several mistakes would fit: truncated; floor"), complete(3, "floor")) << "it supports it";
  EXPECT_EQ(first("of the known mistakes only one would fit: floor"), complete(3, "floor"));
  EXPECT_EQ(first("several mistakes would fit: truncated; 3 more"), "probably floor (3 elements fit; too few to assert)");
  EXPECT_EQ(first("several mistakes would fit: truncated"), "probably floor (3 elements fit; too few to assert)");
}

constexpr const char* kZeros = "pattern: y holds 0 in every element (32 of 32 wrong elements)";

Verdict of_zeros(const std::string& data, const std::string& fitting) {
  Verdict one = failing(data, {kZeros, "several mistakes would fit: " + fitting});
  one.tensors.emplace_back();
  one.tensors.back().outside = 32;
  return one;
}

TEST(Reconcile, ColumnsThatASumLacksAreToldByAnotherCase) {
  const std::string start = "sum: it starts from -1 in each of 8 lanes", out = " is left out of the sum or maximum over j",
                    eight = "x: [i, j] with j mod 8 < 1" + out, tail = "x: [i, j] with j >= 56" + out;
  const std::string fits = "several mistakes would fit: " + start + "; " + eight + "; " + tail;
  const auto with_outside = [](Verdict one) {
    one.tensors.emplace_back().outside = 90;
    return one;
  };
  const Verdict ones = with_outside(failing("a", {fits}));
  EXPECT_THAT(reconciled({ones}).verdicts[0].causes, ElementsAre(fits)) << "inputs of 1 cannot tell";
  EXPECT_THAT(reconciled({ones, failing("b", {complete(90, tail)})}).verdicts[0].causes, ElementsAre(complete(90, tail)));
  Verdict unfinished = failing("c", {"pattern: y holds 1.05 times the expected values (9 of 9 wrong elements)"});
  unfinished.looked_at = "9 of 90 wrong reads of inputs were not tried";
  EXPECT_THAT(reconciled({ones, failing("b", {complete(90, tail)}), unfinished}).verdicts[0].causes,
              ElementsAre(complete(90, tail)))
      << "a case whose search ended early refutes nothing";
}

TEST(Reconcile, OnlyThreeMistakesThatWouldFitArePrinted) {
  const std::string start = "several mistakes would fit: ";
  EXPECT_THAT(reconciled({failing("a", {start + "a; b; c; d; e"})}).verdicts[0].causes, ElementsAre(start + "a; b; c; 2 more"));
  EXPECT_THAT(reconciled({failing("a", {start + "a; b; c; d; obeys x, y instead; 3 more"})}).verdicts[0].causes,
              ElementsAre(start + "a; b; c; obeys x, y instead; 4 more"));
}

TEST(Reconcile, AnotherCaseOfZerosRefutesAMistakeThatWouldFit) {
  const std::string zeros = "pattern: d holds 0 in every element (24 of 24 wrong elements)",
                    one = "of the known mistakes only one would fit: k";
  const RunResult result = reconciled({failing("a", {zeros, one}), failing("b", {zeros})});
  const std::string both =
      "pattern: d holds 0 in every element (24 of 24 wrong elements; so does every failing case: the store, or "
      "the last conversion before it, may write 0)";
  EXPECT_THAT(result.verdicts[0].causes, ElementsAre(both));
  EXPECT_THAT(result.verdicts[1].causes, ElementsAre(both));
  EXPECT_THAT(reconciled({failing("a", {zeros, one})}).verdicts[0].causes, ElementsAre(zeros, one)) << "nothing refutes it";
  Verdict unfinished = failing("b", {zeros});
  unfinished.looked_at = "2 of 20 mutants were not tried";
  EXPECT_THAT(reconciled({failing("a", {zeros, one}), unfinished}).verdicts[0].causes, ElementsAre(zeros, one));
}

TEST(Reconcile, ManyTiesOfACellAreOneLine) {
  const RunResult result =
      reconciled({failing("a", {complete(90, "rival: drop div(M)"), complete(90, "rival: drop mul(g)"),
                                complete(90, "rival: never taken"), complete(90, "rival: mul(g) -> div(g)")})});
  EXPECT_THAT(result.verdicts[0].causes,
              ElementsAre(complete(90, "rival: never taken (same effect here: drop div(M), drop mul(g), mul(g) -> div(g))")));
  EXPECT_EQ(first_mistake(result.verdicts[0]), "rival: never taken");
  const RunResult few = reconciled({failing("a", {complete(90, "rival: drop div(M)"), complete(90, "rival: drop mul(g)")})});
  EXPECT_EQ(few.verdicts[0].causes.size(), 2u);
}

TEST(Reconcile, TwoWaysToMultiplyByTheScaleAreOneLine) {
  const RunResult result = reconciled({failing("a", {complete(90, "mult: drop rcp~1"), complete(90, "code: mul(m) -> div(m)")})});
  EXPECT_THAT(
      result.verdicts[0].causes,
      ElementsAre(complete(90, "code: mul(m) -> div(m), or mult: drop rcp~1: multiplies by the scale instead of dividing")));
}

TEST(Reconcile, OutputsThatManyMistakesCouldGiveDoNotRefuteAMistakeThatWouldFit) {
  const RunResult result = reconciled({failing("a", {complete(4, "floor")}), of_zeros("b", "trunc; floor")});
  EXPECT_THAT(result.verdicts[0].causes, ElementsAre(complete(4, "floor"))) << "two data sets support it";
  EXPECT_THAT(result.verdicts[1].causes, ElementsAre(complete(32, "floor"), kZeros)) << "the other case tells which one fits";
  const RunResult other = reconciled({failing("a", {complete(4, "floor")}), of_zeros("b", "trunc; ceil")});
  EXPECT_THAT(other.verdicts[0].causes.front(), StartsWith("probably floor")) << "zeros do not refute, and do not support it";
  EXPECT_THAT(other.verdicts[1].causes, ElementsAre(kZeros, "several mistakes would fit: trunc; ceil"));
}

TEST(Reconcile, AContractThatAllFailingCasesObeyIsNamedOnce) {
  const std::string a = complete(50, "obeys acme.a instead"), b = complete(50, "obeys acme.b instead (q: bf16 -> f16)");
  EXPECT_THAT(reconciled({failing("a", {a, b})}).verdicts[0].causes, ElementsAre(complete(50, "obeys acme.a, acme.b instead")));
  const RunResult two = reconciled({failing("a", {a, b}), failing("b", {complete(9, "obeys acme.b instead (q: bf16 -> f16)")})});
  EXPECT_THAT(two.verdicts[0].causes, ElementsAre(b)) << "the other case refutes acme.a";
  EXPECT_THAT(reconciled({failing("a", {complete(50, "floor"), a})}).verdicts[0].causes, ElementsAre(complete(50, "floor")))
      << "a mutant names the mistake itself";
  const RunResult zeros = reconciled({of_zeros("a", "floor; obeys acme.a, acme.b instead"), of_zeros("b", "trunc; obeys acme.b instead")});
  for (const Verdict& one : zeros.verdicts)
    EXPECT_THAT(one.causes, ElementsAre(complete(32, "obeys acme.b instead"), kZeros));
  const RunResult unclear = reconciled({of_zeros("a", "floor; obeys acme.b instead"), of_zeros("b", "floor; obeys acme.b instead")});
  EXPECT_THAT(unclear.verdicts[0].causes.front(), kZeros) << "a mutant fits as well";
}

TEST(Reconcile, AContractIsNamedForFewElementsIfAnotherCaseShowsIt) {
  const std::string few = "of the known mistakes only one would fit: obeys acme.b instead";
  const RunResult two = reconciled({failing("a", {"no known cause", few}), failing("b", {complete(50, "obeys acme.b instead")})});
  ASSERT_EQ(two.verdicts[0].causes.size(), 1u);
  EXPECT_THAT(two.verdicts[0].causes[0], HasSubstr("failing elements: obeys acme.b instead"));
  EXPECT_THAT(reconciled({failing("a", {"no known cause", few})}).verdicts[0].causes, ElementsAre("no known cause", few));
}

TEST(Reconcile, ASizeReadOutsideOfAShapeStaysFirst) {
  const std::string outside = "outside: read shape[2] of 'x', which has 2 dimensions (at mine.h:12)";
  EXPECT_THAT(reconciled({failing("a", {outside, complete(1, "floor")})}).verdicts[0].causes.front(), outside);
  EXPECT_THAT(reconciled({failing("a", {outside})}).verdicts[0].causes, ElementsAre(outside));
}

TEST(Reconcile, ZerosWithTheWrongSignHaveTheReasonOfTheCaseThatHoldsOnlyMinusZeros) {
  const std::string zeros = "pattern: zeros: of the other sign (9 of 9 wrong elements)";
  const RunResult two = reconciled(
      {failing("a", {"pattern: y holds -0 in every element (64 of 64 wrong elements; -0 is also held)"}), failing("b", {zeros})});
  EXPECT_THAT(two.verdicts[1].causes.front(), HasSubstr("wrong elements; quant_group/a holds -0 in every element)"));
  EXPECT_THAT(reconciled({failing("b", {zeros})}).verdicts[0].causes, ElementsAre(zeros));
}

TEST(Reconcile, OfTwoThatFitOneCaseTheOneThatFitsAnotherTooIsLeft) {
  const RunResult result = reconciled({failing("a", {complete(50, "floor"), complete(50, "truncated")}),
                                       failing("b", {complete(90, "truncated")}), failing("c", {complete(9, "truncated")})});
  EXPECT_THAT(result.verdicts[0].causes, ElementsAre(complete(50, "truncated"))) << "what another case refutes is dropped";
}

TEST(Reconcile, OfCausesThatTieTheOneThatExplainsMostCasesComesFirst) {
  const RunResult result = reconciled({failing("a", {complete(50, "floor"), complete(50, "truncated")}),
                                       failing("b", {complete(9, "truncated"), "explains only 8 of 9 failing elements: floor"})});
  EXPECT_THAT(result.verdicts[0].causes, ElementsAre(complete(50, "truncated"), complete(50, "floor")));
}

TEST(Reconcile, AsManyCasesThatItLeavesUnexplainedRefuteACause) {
  const auto of = [](const std::string& data, std::vector<std::string> causes) {
    Verdict one = failing(data, std::move(causes));
    one.tensors.emplace_back();
    one.tensors.back().outside = 90;
    return one;
  };
  const auto first = [&](const Verdict& other) {
    return reconciled({of("a", {complete(90, "floor")}), other}).verdicts[0].causes.front();
  };
  EXPECT_EQ(first(of("b", {"no known cause"})), "no known cause; 'floor' explains 1 case, and 1 refutes it");
  EXPECT_EQ(first(of("b", {complete(90, "truncated")})), complete(90, "floor")) << "the same fault may have two texts";
  EXPECT_THAT(reconciled({of("a", {complete(90, "floor"), complete(90, "truncated")}), of("b", {complete(90, "truncated")})})
                  .verdicts[0]
                  .causes,
              ElementsAre(complete(90, "truncated"))) << "not if one of the texts fits both cases";
  EXPECT_EQ(first(of("b", {complete(80, "floor")})), complete(90, "floor"));
  EXPECT_EQ(first(of("b", {"pattern: q holds NaN in every element (90 of 90 wrong elements)"})), complete(90, "floor"))
      << "NaN everywhere tells nothing";
  Verdict unsearched = of("b", {"no known cause"});
  unsearched.looked_at = "12 of 60 mutants were not tried; --diagnose long does more";
  EXPECT_EQ(first(unsearched), "no known cause; 'floor' explains 1 case, and 1 refutes it") << "shared by no other case";
  unsearched.causes = {"pattern: q holds errors in every element of row 1 of 4 (90 of 90 wrong elements)"};
  EXPECT_EQ(first(unsearched), complete(90, "floor")) << "not searched to its end, and not without any cause";
  EXPECT_EQ(first(failing("b", {"no known cause"})), complete(90, "floor")) << "without enough wrong elements";
  EXPECT_THAT(reconciled({of("a", {complete(90, "floor")}), of("b", {"no known cause"}), of("c", {complete(90, "floor")})})
                  .verdicts[0]
                  .causes,
              ElementsAre(complete(90, "floor")));
}

TEST(Reconcile, AMistakeIsOneWhateverTheShapes) {
  const std::string
      one = "x: [i, j] is read from the element after it, within vectors of 64",
      same =
          "x: [j] is read from the element after it, within vectors of 16 counted over all rows, only in columns 0, 8, ...";
  Verdict unexplained = failing("c", {"no known cause"});
  unexplained.tensors.emplace_back();
  unexplained.tensors.back().outside = 90;
  const RunResult result = reconciled({failing("a", {complete(90, one)}), failing("b", {complete(50, same)}), unexplained});
  EXPECT_THAT(result.verdicts[0].causes, ElementsAre(complete(90, one)));
  EXPECT_THAT(result.verdicts[1].causes, ElementsAre(complete(50, same)));
  const std::string column = "x: [i, j] with j mod 4 = 1 is read from [i, j + 1]", flat = column + ", j counted over all rows";
  const RunResult both = reconciled({failing("a", {complete(90, column)}), failing("b", {complete(50, flat)})});
  EXPECT_THAT(both.verdicts[0].causes, ElementsAre(complete(90, column)));
  EXPECT_THAT(both.verdicts[1].causes, ElementsAre(complete(50, flat)));
}

TEST(Reconcile, RoundingToEither16BitFormatIsOneMistake) {
  const RunResult result = reconciled({failing("bf16", {complete(90, "x: rounded to bf16"), complete(90, "other")}),
                                       failing("f16", {complete(90, "x: rounded to f16")}), failing("also", {complete(90, "other")})});
  EXPECT_THAT(result.verdicts[0].causes, ElementsAre(complete(90, "x: rounded to bf16"), complete(90, "other")));
}

TEST(Reconcile, MorePassedCasesThatExposeAMutantThanItExplainsRefuteIt) {
  const auto passed = [](const std::string& data) { return testing::verdict(Outcome::kPass, "quant_group/" + data + "/w32"); };
  const auto first_cause = [&](const std::string& exposed, std::vector<Verdict> others) {
    RunResult result;
    result.verdicts = {failing("a", {complete(90, "eps")})};
    for (Verdict& one : others) result.verdicts.push_back(std::move(one));
    reconcile(result, [&](const Verdict&, const std::string& mistake) { return mistake == exposed; });
    return result.verdicts.front().causes;
  };
  EXPECT_THAT(first_cause("eps", {passed("b"), passed("c")}),
              ElementsAre("no known cause", "refuted by quant_group/b and 1 more, which pass: " + complete(90, "eps")));
  EXPECT_THAT(first_cause("floor", {passed("b"), passed("c")}), ElementsAre(complete(90, "eps")))
      << "their data do not expose it";
  EXPECT_THAT(first_cause("eps", {passed("b")}), ElementsAre(complete(90, "eps"))) << "a path of the kernel, such as a tail";
  EXPECT_THAT(first_cause("eps", {passed("b/x"), passed("c/f16")}), ElementsAre(complete(90, "eps"))) << "other formats";
}

TEST(Reconcile, StrongCausesOfTwoCasesBothStandSinceOneMayNotHaveBeenTriedInTheOther) {
  const RunResult result =
      reconciled({failing("row", {complete(50, "layout: row -> column")}), failing("tma", {complete(90, "layout: tma -> row")})});
  EXPECT_THAT(result.verdicts[0].causes, ElementsAre(complete(50, "layout: row -> column")));
  EXPECT_THAT(result.verdicts[1].causes, ElementsAre(complete(90, "layout: tma -> row")));
}

TEST(Reconcile, AListThatMayBeCutRefutesNothing) {
  const auto beside = [](const std::string& begin) {
    std::vector<std::string> three;
    for (const char* name : {"x", "y", "z"}) three.push_back(begin + " of 90 failing elements: " + name);
    return reconciled({failing("a", {complete(1, "floor")}), failing("b", three)}).verdicts[0].causes.front();
  };
  EXPECT_THAT(beside("explains only 80"), HasSubstr("too few to assert"));
  EXPECT_THAT(beside("explains 90"), HasSubstr("and 1 refutes it")) << "all that explain everything are listed";
}

TEST(Reconcile, KernelsAndContractsDoNotSpeakForEachOther) {
  Verdict other = failing("b", {complete(90, "truncated")});
  other.kernel = "another";
  Verdict contract = failing("c", {complete(90, "truncated")});
  contract.contract = "another";
  EXPECT_THAT(reconciled({failing("a", {complete(1, "floor")}), other, contract}).verdicts[0].causes.front(),
              HasSubstr("too few to assert"));
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

// Changes between two runs are found from the earlier run's JSON report.
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::verdict;

class TrendTest : public ::testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }
  EarlierRun read(const std::string& text) {
    std::ofstream(path_) << text;
    return read_earlier_run(path_);
  }
  const std::string path_ = std::filesystem::temp_directory_path() / ("assay_trend_" + std::to_string(::getpid()));
};

RunResult run_of(std::vector<Verdict> verdicts) {
  RunResult result;
  result.verdicts = std::move(verdicts);
  return result;
}

TEST_F(TrendTest, EachKindOfChangeIsCounted) {
  Provenance provenance;
  provenance.begun = "2026-11-22T00:00:00Z";
  const RunResult before =
      run_of({verdict(Outcome::kPass, "q/worse"), verdict(Outcome::kFail, "q/better"), verdict(Outcome::kFail, "q/bad"),
           verdict(Outcome::kPass, "q/good"), verdict(Outcome::kPass, "q/gone"), verdict(Outcome::kSkip, "q/skip")});
  const EarlierRun earlier = read(json_text(before, {}, provenance));
  const RunResult now =
      run_of({verdict(Outcome::kFail, "q/worse"), verdict(Outcome::kPass, "q/better"), verdict(Outcome::kBroken, "q/bad"),
           verdict(Outcome::kPass, "q/good"), verdict(Outcome::kFail, "q/skip"), verdict(Outcome::kFail, "q/new"),
           verdict(Outcome::kPass, "q/new and right")});
  const Trend trend = trend_of(now, earlier);
  ASSERT_EQ(trend.worse.size(), 1u);
  EXPECT_EQ(trend.worse[0]->case_id, "q/worse");
  ASSERT_EQ(trend.better.size(), 1u);
  EXPECT_EQ(trend.better[0]->case_id, "q/better");
  EXPECT_EQ(trend.fresh.size(), 2u);
  EXPECT_EQ(trend.still_bad, 1);
  EXPECT_EQ(trend.still_passed, 1);
  EXPECT_EQ(trend.gone, 1);
  const std::string page = html_text(now, {}, {}, &earlier);
  EXPECT_THAT(
      page, HasSubstr(" of 2026-11-22T00:00:00Z: 1 worse, 1 better, 2 wrong that were not checked before, 1 still wrong, 1 still "
                      "right, 1 checked before but not now."));
  EXPECT_THAT(html_text(now, {}, {}), Not(HasSubstr("id=\"trend\"")));
}

TEST_F(TrendTest, WhatIsNoReportIsRefusedByName) {
  for (const char* text : {"", "[]", "{\"verdicts\": 3}", "{\"verdicts\": [{\"case\": 1}]}"}) {
    try {
      read(text);
      ADD_FAILURE() << text;
    } catch (const UsageError& error) {
      EXPECT_THAT(error.what(), HasSubstr(path_));
    }
  }
  EXPECT_THROW(read_earlier_run("/no/such/file"), UsageError);
}

}  // namespace

// Tests where_lines(): the text that says where the wrong elements are.
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A tensor whose elements are wrong where `wrong` returns true.
template <class Wrong>
TensorFinding finding_of(int64_t rows, int64_t columns, Wrong wrong) {
  TensorFinding f;
  f.shape = {rows, columns};
  f.elements = rows * columns;
  f.picture = Picture::blank(f.shape);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c)
      if (wrong(r, c)) ++f.outside, f.picture->add_outside({}, r, c);
  return f;
}

TEST(Where, OneTileIsNamed) {
  const TensorFinding f = finding_of(512, 384, [](int64_t r, int64_t c) { return r / 128 == 2 && c / 128 == 1; });
  EXPECT_THAT(where_lines(f),
              ElementsAre("rows 256..383 of 512; columns 128..255 of 384",
                          "all wrong elements are in tile [2, 1] of 128 x 128 (1 of 12), which is completely wrong",
                          "tiles of 64 x 64: 4 of 48 have wrong elements (completely wrong: all); the first is tile [4, 2]"));
}

TEST(Where, ASmallTileIsNoWholeLargeOne) {
  const TensorFinding f = finding_of(256, 200, [](int64_t r, int64_t c) { return r / 64 == 3 && c >= 192; });
  EXPECT_THAT(where_lines(f),
              ElementsAre("rows 192..255 of 256; columns 192..199 of 200",
                          "all wrong elements are in tile [1, 1] of 128 x 128 (1 of 4), which is partly right",
                          "all wrong elements are in tile [3, 3] of 64 x 64 (1 of 16), which is completely wrong"));
}

TEST(Where, RowsOfASmallTensorAreNamedOneByOne) {
  const TensorFinding f = finding_of(20, 16, [](int64_t r, int64_t) { return r == 3 || (r >= 7 && r < 9); });
  EXPECT_THAT(where_lines(f), ElementsAre("rows 3, 7..8 of 20"));
}

TEST(Where, OneColumnOfManyIsNamedExactly) {
  EXPECT_THAT(where_lines(finding_of(2, 4096, [](int64_t, int64_t c) { return c == 5; })),
              ::testing::Contains("column 5 of 4096"));
  EXPECT_THAT(where_lines(finding_of(256, 64, [](int64_t r, int64_t) { return r == 128; })),
              ::testing::Contains("row 128 of 256"));
}

TEST(Where, MoreThan1024ColumnsAreNamedByCells) {
  const std::string line = where_lines(finding_of(1, 16384, [](int64_t, int64_t c) { return c % 4 == 3 && c < 8192; })).front();
  EXPECT_EQ(line, "columns 0..8191 of 16384");
}

TEST(Where, RegularPlacesAreNamedByTheirPeriod) {
  const auto columns = [](int64_t size, const std::function<bool(int64_t)>& wrong) {
    return where_lines(finding_of(1, size, [&](int64_t, int64_t c) { return wrong(c); })).front();
  };
  EXPECT_EQ(columns(64, [](int64_t c) { return c % 8 == 3; }), "columns 3 of each 8 of 64");
  EXPECT_EQ(columns(64, [](int64_t c) { return c % 16 >= 12; }), "columns 12..15 of each 16 of 64");
  EXPECT_EQ(columns(64, [](int64_t c) { return c % 8 == 3 || c % 8 == 5; }), "columns 3, 5 of each 8 of 64");
  EXPECT_EQ(columns(64, [](int64_t c) { return c % 8 == 3 && c >= 16 && c < 48; }),
            "columns 3 of each 8, from 19 on, up to 43 of 64");
  EXPECT_EQ(columns(62, [](int64_t c) { return c % 16 >= 12; }), "columns 12..15 of each 16 of 62") << "the last run is cut";
  EXPECT_EQ(columns(64, [](int64_t c) { return c % 8 == 3 && c != 19; }), "columns 3, 11, 27, 35, 43, 51, 59 of 64")
      << "one is right";
}

TEST(Where, ManyRunsAreCutShort) {
  const TensorFinding f = finding_of(80, 4, [](int64_t r, int64_t) { return r % 3 == 0 || r % 7 == 0; });
  EXPECT_THAT(where_lines(f).front(), ::testing::StartsWith("rows 0, 3, 6..7, 9, 12, 14..15, 18, 21, ... ("));
}

TEST(Where, WhatIsWrongEverywhereHasNoPlace) {
  EXPECT_THAT(where_lines(finding_of(256, 256, [](int64_t, int64_t) { return true; })), IsEmpty());
  EXPECT_THAT(where_lines(finding_of(256, 256, [](int64_t, int64_t) { return false; })), IsEmpty());
  EXPECT_THAT(where_lines(finding_of(256, 256, [](int64_t r, int64_t c) { return (r + c) % 2 == 0; })), IsEmpty());
}

// Sizes of failing cases.

RunResult cases_of_k(const std::vector<int64_t>& failing, const std::vector<int64_t>& passed) {
  RunResult result;
  const auto add = [&](int64_t k, Outcome outcome) {
    Verdict v;
    v.kernel = "mine", v.op = "gemm", v.contract = "acme.gemm", v.outcome = outcome;
    v.case_id = "gemm/acme.gemm/bf16.m4.n16.k" + std::to_string(k) + ".tensor/normal.s1";
    if (outcome == Outcome::kFail) v.causes = {"no known cause"};
    result.verdicts.push_back(v);
  };
  for (const int64_t k : failing) add(k, Outcome::kFail);
  for (const int64_t k : passed) add(k, Outcome::kPass);
  compare_failing_cases(result);
  return result;
}

TEST(CaseConditions, SizesThatTellFailingCasesApartAreNamed) {
  EXPECT_EQ(cases_of_k({17, 33, 1}, {32, 64, 96}).verdicts[0].causes.back(),
            "fails only where k is no multiple of 8; 3 data sets with other sizes pass");
  EXPECT_EQ(cases_of_k({1, 9, 17}, {33, 65, 160}).verdicts[0].causes.back(),
            "fails only where k is at most 17 (the others have at least 33); 3 data sets with other sizes pass");
  EXPECT_EQ(cases_of_k({4096, 8192, 1024}, {33, 512, 160}).verdicts[0].causes.back(),
            "fails only where k is at least 1024 (the others have at most 512); 3 data sets with other sizes pass");
}

TEST(CaseConditions, FewOrMixedCasesTellNothing) {
  EXPECT_EQ(cases_of_k({1, 9}, {33, 65, 160}).verdicts[0].causes.back(), "no known cause");
  EXPECT_EQ(cases_of_k({1, 9, 64}, {33, 65, 160}).verdicts[0].causes.back(), "no known cause");
}

}  // namespace
}  // namespace assay
