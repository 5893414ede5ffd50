// Expectations with several answers, of which one must hold for the whole output; violations between elements.
#include <gtest/gtest.h>

#include "harness/compare/compare.h"
#include "harness/compare/ordinals.h"
#include "harness/fill/philox.h"
#include "harness/testing/compare_codes.h"
#include "harness/testing/whole_part.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using namespace compare_codes;
using testing::compare_part;
using testing::listed;
using testing::whole_part;

TEST(CompareAnswers, AnExpectationThatDoesNotFitIsARefusal) {
  WholePart expected = pinned(kBf16, {1, 2});
  EXPECT_THROW(compare_part(expected, tensor_of(kBf16, {1})), std::logic_error);
  expected.part.places = listed({0, 7}, 2);
  EXPECT_THROW(compare_part(expected, tensor_of(kBf16, {1, 2})), std::logic_error);
  expected.part.places = Places::of_rows([](int64_t) { return 1; });
  EXPECT_THROW(compare_part(expected, tensor_of(kBf16, {1, 2})), std::logic_error);
  Expectation short_of_one = expectation_of({pinned(kBf16, {1, 2})});
  short_of_one.any_of.front().accepted = [](int64_t, int64_t) { return AcceptedBlock{{{0, 1, {1}, {}}}}; };
  EXPECT_THROW(compare(short_of_one, {tensor_of(kBf16, {1, 2})}, {}), std::logic_error);
}

/// Two variants: all codes of a row are 1 to 4, or all are 5 to 8. A mixture is wrong.
Expectation one_of_two_programs() {
  Expectation both = expectation_of({pinned(kInt8, {1, 2, 3, 4})});
  both.any_of.push_back(expectation_of({pinned(kInt8, {5, 6, 7, 8})}).any_of.front());
  both.any_of[0].program = "split-K 1", both.any_of[1].program = "split-K 2";
  return both;
}

TEST(CompareAnswers, OneAnswerMustHoldForTheWholeOutput) {
  const auto judge = [](const std::vector<uint32_t>& codes) {
    return compare(one_of_two_programs(), {tensor_of(kInt8, codes)}, {});
  };
  EXPECT_TRUE(judge({1, 2, 3, 4}).agrees());
  const Finding second = judge({5, 6, 7, 8});
  EXPECT_TRUE(second.agrees());
  EXPECT_EQ(second.program, "split-K 2");
  const Finding mixture = judge({5, 6, 7, 4});
  EXPECT_FALSE(mixture.agrees()) << "each element is one that some program gives";
  EXPECT_EQ(mixture.program, "split-K 2") << "the nearest is named";
  EXPECT_EQ(mixture.parts.front().outside, 1);
}

/// Three variants, each of which stores its own number in all rows. Elements have a k so large that only a sample is compared.
/// `asked` counts the rows requested per variant.
Expectation three_large_programs(std::array<int64_t, 3>& asked) {
  constexpr int64_t kRows = 200;
  Expectation all;
  for (int program = 0; program < 3; ++program) {
    Answer answer{"split-K " + std::to_string(program + 1), {whole_part(kInt8, {kRows, 1}, {}).part}, kRows};
    answer.products = int64_t{1} << 20;
    answer.accepted = [program, &asked](int64_t first, int64_t end) {
      asked[size_t(program)] += end - first;
      return AcceptedBlock{{{first, end, std::vector<int32_t>(size_t(end - first), program + 1), {}}}};
    };
    all.any_of.push_back(std::move(answer));
  }
  return all;
}

TEST(CompareAnswers, OfLargeAnswersAProgramIsHeldAgainstASampleFirst) {
  HostTensor third = tensor_of(kInt8, std::vector<uint32_t>(200, 3));
  std::array<int64_t, 3> asked{};
  const Finding right = compare(three_large_programs(asked), {third}, {});
  EXPECT_TRUE(right.agrees());
  EXPECT_EQ(right.program, "split-K 3");
  EXPECT_LT(asked[1], 200) << "the sample was enough to drop it";
  EXPECT_GE(asked[2], 200);
  third.set_code(1, 2);  // a row that is not in the sample
  const Finding one_wrong = compare(three_large_programs(asked), {third}, {});
  EXPECT_EQ(one_wrong.program, "split-K 3");
  EXPECT_EQ(one_wrong.parts.front().outside, 1) << "what agrees with the sample is held against the whole";
  const Finding none = compare(three_large_programs(asked), {tensor_of(kInt8, std::vector<uint32_t>(200, 9))}, {});
  EXPECT_EQ(none.parts.front().outside, 200);
}

TEST(CompareAnswers, ViolationsBetweenElementsFailAndHavePlacesInThePicture) {
  const WholePart right = whole_part(kInt8, {2, 2}, {1, 2, 3, 4});
  const HostTensor tensor = tensor_of(kInt8, {1, 2, 3, 4});
  const Finding row =
      compare(expectation_of({right}, {{"one r for a row", "row 1: ...", 1, {{"q", 1, Place::kWholeRow}}}}), {tensor}, {});
  EXPECT_FALSE(row.agrees());
  EXPECT_TRUE(row.parts.front().agrees()) << "each element is right";
  ASSERT_TRUE(row.parts.front().picture);
  EXPECT_EQ(row.parts.front().picture->joint, (std::vector<int32_t>{0, 0, 1, 1}));
  Expectation ranks = expectation_of({right});
  ranks.together = [](const std::vector<HostTensor>&) {
    return std::vector<Violation>{{"ranks agree", "rank 1 differs", 0, {{"q", 0, 1}}}};
  };
  const Finding between = compare(ranks, {tensor}, {});
  EXPECT_EQ(between.all_violations, 1);
  EXPECT_EQ(between.parts.front().picture->joint, (std::vector<int32_t>{0, 1, 0, 0}));
}

TEST(CompareAnswers, ThousandsOfViolationsAreCountedAndTheFirstAreKept) {
  std::vector<Violation> many;
  for (int64_t row = 0; row < 5000; ++row) many.push_back({"rule", "row " + std::to_string(row), row});
  const WholePart right = whole_part(kInt8, {5000, 1}, std::vector<int32_t>(5000, 1));
  HostTensor tensor{dense("q", Role::kOutput, kInt8, {5000, 1}), std::vector<std::byte>(5000, std::byte{1})};
  const Finding finding = compare(expectation_of({right}, many), {tensor}, {});
  EXPECT_EQ(finding.all_violations, 5000);
  ASSERT_EQ(finding.violations.size(), Finding::kMostViolations);
  for (size_t i = 0; i < finding.violations.size(); ++i) EXPECT_EQ(finding.violations[i].step, int64_t(i));
}

}  // namespace
}  // namespace assay
