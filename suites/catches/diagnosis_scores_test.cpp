#include "suites/catches/diagnosis_scores.h"

#include <gtest/gtest.h>

namespace assay {
namespace {

const std::string kFloor = "explains 12 of 12 failing elements: scale: pow2(ceil) -> pow2(floor)";
const std::string kDrop = "explains 12 of 12 failing elements: scale: drop pow2(ceil)";
const std::string kBoth =
    "explains 20 of 20 failing elements: scale: pow2(ceil) -> pow2(floor) (needed for 8); and code: to(q) -> to(q,rz) (needed "
    "for 9)";
const std::string kPadding = "padding: left unwritten, or overwritten where it must not change";
const std::vector<std::string> kOne = {"scale: pow2(ceil) -> pow2(floor)"};
const std::vector<std::string> kTwo = {"scale: pow2(ceil) -> pow2(floor)", "code: to(q) -> to(q,rz)"};

TEST(Measuring, TheCauseInFrontIsRight) {
  EXPECT_EQ(judge_words({kFloor, kDrop}, kOne), Said::kFirst);
  EXPECT_EQ(judge_words({kBoth}, kTwo), Said::kFirst);
}

TEST(Measuring, ACauseBehindAnEqualOneIsTied) {
  EXPECT_EQ(judge_words({kDrop, kFloor}, kOne), Said::kTied);
  EXPECT_EQ(judge_words({kDrop, kFloor}, kTwo), Said::kTied);
}

TEST(Measuring, ACauseBehindABetterOneIsLater) {
  EXPECT_EQ(judge_words({kDrop, "explains 11 of 12 failing elements: scale: pow2(ceil) -> pow2(floor)"}, kOne), Said::kLater);
  EXPECT_EQ(judge_words({"explains 11 of 12 failing elements: scale: drop pow2(ceil)", kFloor}, kOne), Said::kLater);
}

TEST(Measuring, AMistakeTooManyIsNotRight) { EXPECT_EQ(judge_words({kBoth}, kOne), Said::kLater); }

TEST(Measuring, OneOfTwoIsRightOnlyIfNothingIsLeft) {
  EXPECT_EQ(judge_words({kFloor}, kTwo), Said::kAllSeen);
  EXPECT_EQ(judge_words({"explains 11 of 12 failing elements: scale: pow2(ceil) -> pow2(floor)"}, kTwo), Said::kLater);
  EXPECT_EQ(
      judge_words({"explains 12 of 12 failing elements and contradicts 1 right elements: scale: pow2(ceil) -> pow2(floor)"}, kTwo),
      Said::kLater);
}

TEST(Measuring, AMistakeThatShowsInSeveralWaysIsNamedByEachOfThem) {
  const std::vector<std::string> one = {"waited in vain or of the call before"};
  EXPECT_EQ(judge_words({"rank 0: hung: block 0 waited in vain for rank 3 at the start"}, one), Said::kFirst);
  EXPECT_EQ(judge_words({"all 12 wrong elements: results of the call before"}, one), Said::kFirst);
  EXPECT_EQ(judge_words({kFloor}, one), Said::kOther);
}

TEST(Measuring, PaddingCountsWhereItIsACause) {
  EXPECT_EQ(judge_words({kFloor, kPadding}, kOne), Said::kFirst);
  EXPECT_EQ(judge_words({kFloor, kPadding}, {kOne[0], "padding:"}), Said::kFirst);
  EXPECT_EQ(judge_words({kFloor}, {kOne[0], "padding:"}), Said::kAllSeen);
  EXPECT_EQ(judge_words({kPadding + "; every element is right"}, {kOne[0], "padding:"}), Said::kAllSeen);
  EXPECT_EQ(judge_words({kPadding + "; every element is right"}, kOne), Said::kOther);
}

TEST(Sample, IsOneInSoManyAndTheSameEachTime) {
  int few = 0;
  for (int i = 0; i < 4000; ++i) {
    const std::string name = "vllm.group_" + std::to_string(i);
    few += in_sample(name, 8);
    EXPECT_TRUE(in_sample(name, 1));
    EXPECT_EQ(in_sample(name, 8), in_sample(name, 8));
  }
  EXPECT_GT(few, 400);
  EXPECT_LT(few, 600);
  EXPECT_EQ(one_in("8"), 8u);
  for (const char* text : {"", "0", "-1", "8x", "1001"}) EXPECT_THROW(one_in(text), std::runtime_error) << text;
}

TEST(Measuring, OtherCausesAndNoneAreNotRight) {
  EXPECT_EQ(judge_words({kDrop}, kOne), Said::kOther);
  EXPECT_EQ(judge_words({"no known cause"}, kOne), Said::kUnknown);
  EXPECT_EQ(judge_words({"pattern: q holds 2 times the expected values (4 of 4 wrong elements)"}, kOne), Said::kUnknown);
  EXPECT_EQ(judge_words({kDrop}, {}), Said::kOther);
  EXPECT_EQ(judge_words({"pattern: q holds the expected values 1 row later (9 of 9 wrong elements)", kPadding}, {}),
            Said::kUnknown);
}

TEST(Measuring, APatternThatDoesNotDescribeTheMistakeMisleads) {
  const std::string reversed =
      "pattern: q holds the expected values of each 4 columns in the opposite order (9 of 9 wrong elements)";
  EXPECT_FALSE(misled_by_patterns({reversed, kPadding}, {"1 row later", "columns in the opposite order"}));
  EXPECT_TRUE(misled_by_patterns({reversed}, {"1 row later"}));
  EXPECT_TRUE(misled_by_patterns({reversed}, {}));
  EXPECT_FALSE(misled_by_patterns({"no known cause"}, {}));
}

}  // namespace
}  // namespace assay
