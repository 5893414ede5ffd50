#include "harness/diagnosis/sharpness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/testing/toy_op.h"
#include "harness/testing/whole_part.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// The toy op, with intervals of these widths at the start of its output.
class CaseOfWidths : public testing::ToyCase {
 public:
  CaseOfWidths(const Case& one, std::vector<int32_t> widths) : ToyCase(one), widths_(std::move(widths)) {}
  Expectation expect(const Problem&, const std::vector<HostTensor>*) const override {
    WholePart y = testing::whole_part(kBf16, {1, 8}, std::vector<int32_t>(8, 100), std::vector<int32_t>(8, 100), "", "y");
    for (size_t i = 0; i < widths_.size(); ++i) {
      if (widths_[i] < 0)
        y.low[i] = Interval::anything().low, y.high[i] = Interval::anything().high;
      else
        y.high[i] += widths_[i];
    }
    return expectation_of({std::move(y)});
  }

 private:
  const std::vector<int32_t> widths_;
};

Op with_widths(const std::vector<int32_t>& widths) { return testing::toy_op_of<CaseOfWidths>(widths); }

std::string table_of(const std::vector<int32_t>& widths) {
  const Op op = with_widths(widths);
  return sharpness_table({&op, 1}, {testing::toy_case("bf16")});
}

TEST(Sharpness, CountsSetsOfOneCodeAndTheWidthOfTheOthers) {
  EXPECT_THAT(table_of({}), HasSubstr("| toy, y bf16 | 1 | 8 | 100.000 % | toy.copy | 100.000 % | 0 | 0 |"));
  EXPECT_THAT(table_of({1, 0, 9}), HasSubstr("| 75.000 % | 0 | 9 |"));
  EXPECT_THAT(table_of({1, 2, 3, 4, 5}), HasSubstr("| 37.500 % | 1 | 5 |"));
  EXPECT_THAT(table_of({4, 4, 4, 4, 4, 4, 4, 4}), HasSubstr("| 0.000 % | 4 | 4 |"));
}

TEST(Sharpness, WhatIsUndefinedIsOpen) { EXPECT_THAT(table_of({-1}), HasSubstr("| 87.500 % | 0 | 0 |")); }

TEST(Sharpness, AnOpWithoutCasesHasNoRow) {
  const Op op = with_widths({});
  EXPECT_THAT(sharpness_table({&op, 1}, {}), Not(HasSubstr("toy")));
}

}  // namespace
}  // namespace assay
