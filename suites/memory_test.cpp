// The memory of checks and of the diagnosis does not grow with the tensor. A sample gives the same cause as the whole tensor.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/diagnosis/diagnose.h"
#include "harness/run/run_case.h"
#include "suites/bench/large_case.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

using ::testing::HasSubstr;

constexpr const char* kMistake = "scale: pow2(ceil) -> pow2(floor)";
constexpr int64_t kColumns = 16384;

class Memory : public ::testing::Test {
 protected:
  void SetUp() override { open_rulebook(ASSAY_SOURCE_DIR); }
};

/// If all accepted codes were kept, they would take 8 bytes per element: 256 MiB for the larger case.
TEST_F(Memory, OfJudgingDoesNotGrowWithTheTensor) {
  constexpr int64_t kMost = int64_t{64} << 20;
  for (const int64_t rows : {int64_t{512}, int64_t{2048}}) {
    const LargeCase large = with_outputs(large_case(rows, kColumns), "");
    Verdict verdict;
    const Cost cost =
        cost_of([&] { judge_outputs(*shipped_ops().find("quant_group").bind(large.one), large.problem, large.result, verdict); });
    EXPECT_NE(verdict.outcome, Outcome::kFail);
    EXPECT_LT(cost.bytes, kMost) << rows << " rows";
  }
}

TEST_F(Memory, OfADiagnosisIsThatOfItsSample) {
  constexpr int64_t kMost = int64_t{128} << 20;
  const LargeCase large = with_outputs(large_case(2048, kColumns), kMistake);
  const Op& op = shipped_ops().find("quant_group");
  Verdict verdict;
  const Sample sample = judge_outputs(*op.bind(large.one), large.problem, large.result, verdict);
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_FALSE(sample.is_everything());
  EXPECT_THAT(verdict.looked_at, HasSubstr("of 2048 rows"));
  std::vector<std::string> causes;
  const Cost cost =
      cost_of([&] { causes = causes_in_words(diagnose(*op.bind(large.one), large.problem, large.result.outputs, &sample)); });
  EXPECT_LT(cost.bytes, kMost);
  ASSERT_FALSE(causes.empty());
  EXPECT_THAT(causes.front(), HasSubstr(kMistake));
}

/// For a GEMM of this size, a complete diagnosis would compute all products again for each mutant. With a sample of rows it takes
/// seconds.
TEST_F(Memory, ADiagnosisOfALargeProductLooksAtFewOfItsProducts) {
  const Op& op = shipped_ops().find("gemm_scaled");
  const std::string mistake = "scale_a: of the next row";
  const LargeCase large = with_outputs(large_product(256, 512, 2048), mistake);
  Verdict verdict;
  const Sample sample = judge_outputs(*op.bind(large.one), large.problem, large.result, verdict);
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_FALSE(sample.is_everything());
  EXPECT_LE((sample.failing + sample.good) * sample.columns_chosen(512) * 2048, int64_t{1} << 25);
  EXPECT_THAT(verdict.looked_at, HasSubstr("; in each row 128 of 512 columns"));
  const std::vector<std::string> causes =
      causes_in_words(diagnose(*op.bind(large.one), large.problem, large.result.outputs, &sample));
  ASSERT_FALSE(causes.empty());
  EXPECT_THAT(causes.front(), HasSubstr(mistake));
}

/// Only the last of 16384 columns is wrong. The sample has this column, so the cause is named.
TEST_F(Memory, ADiagnosisOfAWideProductLooksAtTheColumnThatFails) {
  constexpr int64_t kWide = 16384;
  const Op& op = shipped_ops().find("gemm_scaled");
  const std::string mistake = "b: the last row is the one before it";
  const LargeCase large = with_outputs(large_product(64, kWide, 512), mistake);
  Verdict verdict;
  const Sample sample = judge_outputs(*op.bind(large.one), large.problem, large.result, verdict);
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_THAT(sample.columns, ::testing::Contains(StepRange{kWide - 16, kWide}));
  EXPECT_LE((sample.failing + sample.good) * sample.columns_chosen(kWide) * 512, int64_t{1} << 25);
  const std::vector<std::string> causes =
      causes_in_words(diagnose(*op.bind(large.one), large.problem, large.result.outputs, &sample));
  ASSERT_FALSE(causes.empty());
  EXPECT_THAT(causes.front(), HasSubstr(mistake));
}

/// One element of half a million is wrong, or one in each row. The sample has rows and columns that meet in wrong elements.
TEST_F(Memory, ChosenRowsAndColumnsMeetInElementsThatFail) {
  const Op& op = shipped_ops().find("gemm_scaled");
  for (const bool diagonal : {false, true}) {
    LargeCase large = with_outputs(large_product(512, 1024, 512), "");
    HostTensor& d = find(large.result.outputs, "d");
    for (int64_t row = diagonal ? 0 : 77; row < (diagonal ? 512 : 78); ++row) {
      const int64_t at = row * 1024 + (diagonal ? row * 2 : 901);
      d.set_code(at, d.code(at) ^ 0x40);
    }
    Verdict verdict;
    const Sample sample = judge_outputs(*op.bind(large.one), large.problem, large.result, verdict);
    ASSERT_FALSE(sample.columns.empty());
    const auto chosen = [](const std::vector<StepRange>& ranges, int64_t i) {
      return std::any_of(ranges.begin(), ranges.end(), [&](const StepRange& range) { return range.first <= i && i < range.end; });
    };
    int64_t failing = 0;
    for (int64_t row = 0; row < 512; ++row)
      failing += chosen(sample.steps, row) && chosen(sample.columns, diagonal ? row * 2 : 901) && (diagonal || row == 77);
    EXPECT_GE(failing, diagonal ? 2 : 1) << verdict.looked_at;
    EXPECT_GT(sample.good, diagonal ? -1 : 0);
  }
}

/// Verdicts of GEMMs state distances from the exact dot products. For a large GEMM only some rows are computed exactly.
TEST_F(Memory, ExactProductsAreMadeOfSomeRowsOfALargeOne) {
  const auto notes_of = [](int64_t rows) {
    const LargeCase large = with_outputs(large_product(rows, 512, 2048), "");
    Verdict verdict;
    judge_outputs(*shipped_ops().find("gemm_scaled").bind(large.one), large.problem, large.result, verdict,
                  Remarks::kOfAll);
    EXPECT_EQ(verdict.outcome, Outcome::kPass);
    return verdict.tensors.front().notes;
  };
  EXPECT_THAT(notes_of(256),
              ::testing::ElementsAre(HasSubstr("of 128 of 256 rows: the worst element differs from the exact product by "),
                                     HasSubstr("mean "), HasSubstr(" times the bound for additions"),
                                     HasSubstr("the contract computes d with sm_90.")));
  EXPECT_THAT(notes_of(100).front(), ::testing::StartsWith("the worst element differs from the exact product by "));
}

TEST_F(Memory, ASmallProductIsLookedAtWhole) {
  const LargeCase small = with_outputs(large_product(64, 64, 512), "y: gain 101/100");
  Verdict verdict;
  EXPECT_TRUE(
      judge_outputs(*shipped_ops().find("gemm_scaled").bind(small.one), small.problem, small.result, verdict).is_everything());
}

/// One element of 32 million is wrong. The sample has its row.
TEST_F(Memory, ASampleHoldsTheOnlyRowThatFails) {
  LargeCase large = with_outputs(large_case(2048, kColumns), "");
  find(large.result.outputs, "q").bytes[size_t(1234 * kColumns + 5)] ^= std::byte{0x40};
  Verdict verdict;
  const Sample sample = judge_outputs(*shipped_ops().find("quant_group").bind(large.one), large.problem, large.result, verdict);
  EXPECT_EQ(verdict.tensors.front().outside, 1);
  EXPECT_EQ(verdict.tensors.front().first.at, (std::array<int64_t, 2>{1234, 5}));
  EXPECT_EQ(sample.failing, 1);
  EXPECT_GT(sample.good, 0);
  EXPECT_THAT(sample.steps, ::testing::Contains(StepRange{1234, 1235}));
}

}  // namespace
}  // namespace assay
