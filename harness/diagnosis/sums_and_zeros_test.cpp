// Tests mistakes that data of equal values cannot tell apart, zeros whose signs say more than their value, and elements of
// vectors that a loop skips.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/input_edits.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// y = x divided by the sum of its row, stored in two parts of 48 and 16 columns.
class RowSums : public testing::ToyCase {
 public:
  static constexpr int64_t kRows = 8, kColumns = 64, kFirst = 48;
  using ToyCase::ToyCase;

  virtual double value(int64_t i) const { return double(1 + i * i * 7 % 509); }
  Problem problem() const override {
    HostTensor x{dense("x", Role::kInput, kF32, {kRows, kColumns}), std::vector<std::byte>(size_t(4 * kRows * kColumns))};
    for (int64_t i = 0; i < kRows * kColumns; ++i) x.set_code(i, code_of(kF32, value(i)));
    return {{std::move(x)}};
  }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>*) const override {
    const HostTensor y = outputs_of(problem.tensors[0], [](int64_t) { return true; });
    std::vector<WholePart> parts;
    for (const bool is_first : {true, false}) {
      const int64_t begin = is_first ? 0 : kFirst, columns = is_first ? kFirst : kColumns - kFirst;
      WholePart& part = parts.emplace_back(testing::whole_part(kF32, {kRows, columns}, {}, {}, "", "y"));
      part.part.name = is_first ? "codes" : "rest";
      part.part.places = Places::of_rows([begin](int64_t row) { return row * kColumns + begin; });
      for (int64_t i = 0; i < kRows * columns; ++i)
        part.low.push_back(ordinal(kF32, y.code(i / columns * kColumns + begin + i % columns)));
    }
    return expectation_of(std::move(parts));
  }
  /// The output of a kernel whose sum takes only the columns for which `takes` is true.
  static HostTensor outputs_of(const HostTensor& x, const std::function<bool(int64_t)>& takes) {
    HostTensor y{dense("y", Role::kOutput, kF32, {kRows, kColumns}), std::vector<std::byte>(size_t(4 * kRows * kColumns))};
    for (int64_t row = 0; row < kRows; ++row) {
      double sum = 0;
      for (int64_t c = 0; c < kColumns; ++c) sum += takes(c) ? decode(kF32, x.code(row * kColumns + c)) : 0;
      for (int64_t c = 0; c < kColumns; ++c)
        y.set_code(row * kColumns + c, code_of(kF32, double(float(decode(kF32, x.code(row * kColumns + c)) / sum))));
    }
    return y;
  }
};

class SumsOfOnes : public RowSums {
 public:
  using RowSums::RowSums;
  double value(int64_t) const override { return 1; }
};

template <class ToyCase>
std::vector<std::string> causes_of(const std::function<bool(int64_t)>& takes) {
  const auto bound = testing::toy_op_of<ToyCase>().bind(testing::toy_case());
  const Problem problem = bound->problem();
  return causes_in_words(diagnose(*bound, problem, {RowSums::outputs_of(problem.tensors[0], takes)}));
}

TEST(SumsThatLackColumns, ArePartsOfARowOfTwoParts) {
  EXPECT_THAT(causes_of<RowSums>([](int64_t c) { return c < 48; }),
              ElementsAre(EndsWith(": x: [i, j] with j >= 48 is left out of the sum or maximum over j")));
}

TEST(SumsThatLackColumns, OfOnesCannotTellWhichColumns) {
  const std::vector<std::string> causes = causes_of<SumsOfOnes>([](int64_t c) { return c < 48; });
  ASSERT_EQ(causes.size(), 1u);
  EXPECT_THAT(causes[0], StartsWith("several mistakes would fit: x: [i, j] with j mod "));
  EXPECT_THAT(causes[0], HasSubstr("; x: [i, j] with j >= 48 is left out of the sum or maximum over j"));
}

TEST(SkippedElements, OfASumOverRanksAreMissingInAllItsTerms) {
  Problem problem;
  problem.ranks = 2;
  for (int rank = 0; rank < 2; ++rank) {
    HostTensor x{dense("x", Role::kInput, kF32, {2, 8}), std::vector<std::byte>(64)};
    x.spec.rank = rank;
    for (int64_t i = 0; i < 16; ++i) x.set_code(i, code_of(kF32, double(i + 1)));
    problem.tensors.push_back(std::move(x));
  }
  const std::vector<InputEdit> edits = skipped_elements(problem);
  ASSERT_EQ(edits.size(), 14u) << "vectors of 2, 4 and 8";
  const InputEdit& first_of_eight = edits[6];
  EXPECT_EQ(first_of_eight.name, "sum over ranks: [i, j] with j mod 8 = 0 is read as 0, or never added");
  const Problem changed = first_of_eight.applied(problem);
  for (const HostTensor& x : changed.tensors)
    for (int64_t i = 0; i < 16; ++i) EXPECT_EQ(decode(kF32, x.code(i)), i % 8 == 0 ? 0 : double(i + 1));
  problem.ranks = 1, problem.tensors.pop_back();
  EXPECT_EQ(skipped_elements(problem)[0].name, "x: [i, j] with j mod 2 = 0 is read as 0, or never added");
}

}  // namespace
}  // namespace assay
