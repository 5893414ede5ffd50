// Tests the rules for kernels that read a matrix as one array of vectors.
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
using ::testing::HasSubstr;
using ::testing::Not;

/// The causes of a kernel of the toy op that stores x[source(i)] in y[i]; i counts the elements of `rows` x `columns`.
std::vector<std::string> causes_of_copy(int64_t rows, int64_t columns, const std::function<int64_t(int64_t)>& source) {
  const Problem problem = testing::toy_problem(kBf16, rows, columns);
  const auto bound = testing::toy_op().bind(testing::toy_case("bf16", std::to_string(rows) + "x" + std::to_string(columns)));
  HostTensor y{dense("y", Role::kOutput, kBf16, {rows, columns}), std::vector<std::byte>(size_t(2 * rows * columns))};
  for (int64_t i = 0; i < rows * columns; ++i) y.set_code(i, problem.tensors[0].code(source(i)));
  return causes_in_words(diagnose(*bound, problem, {y}));
}

TEST(FlatVectors, AWrongPositionInAVectorIsNamedIfVectorsCrossRows) {
  EXPECT_THAT(
      causes_of_copy(8, 9, [](int64_t i) { return i % 4 == 1 ? i + 1 : i; }),
      ElementsAre("explains 18 of 18 failing elements: x: [i, j] with j mod 4 = 1 is read from [i, j + 1], j counted over "
                  "all rows"));
  EXPECT_THAT(causes_of_copy(8, 9, [](int64_t i) { return i ^ 4; }),
              ElementsAre("explains 72 of 72 failing elements: x: [i, j] is read from [i, j ^ 4] (halves of each 8 exchanged), "
                          "j counted over all rows"));
  EXPECT_THAT(causes_of_copy(8, 10, [](int64_t i) { return i % 4 < 2 ? i + 2 : i; }),
              ElementsAre(HasSubstr("x: [i, j] with j mod 4 in 0..1 is read from [i, j + 2], j counted over all rows")));
}

TEST(FlatVectors, ElementsBehindTheLastWholeVectorMayBeReadInAnyWay) {
  EXPECT_THAT(causes_of_copy(9, 9, [](int64_t i) { return i % 4 == 0 && i < 80 ? i + 3 : i; }),
              ElementsAre(HasSubstr("x: [i, j] with j mod 4 = 0 is read from [i, j + 3], j counted over all rows")));
}

TEST(FlatVectors, AreNotNamedIfColumnsTellThePositionOrRightElementsRefuteThem) {
  EXPECT_THAT(causes_of_copy(8, 16, [](int64_t i) { return i % 4 == 1 ? i + 1 : i; }),
              Contains(HasSubstr("failing elements: x: [i, j] with j mod 4 = 1 is read from [i, j + 1]")));
  EXPECT_THAT(causes_of_copy(8, 16, [](int64_t i) { return i % 4 == 1 ? i + 1 : i; }), Not(Contains(HasSubstr("over all rows"))));
  EXPECT_THAT(causes_of_copy(8, 9, [](int64_t i) { return i % 4 == 1 && i != 37 ? i + 1 : i; }), ElementsAre("no known cause"))
      << "element 37 is right";
}

TEST(FlatVectors, RowsThatDoNotLieBehindOneAnotherHaveNone) {
  Problem problem = testing::toy_problem(kBf16, 8, 9);
  EXPECT_FALSE(flat_vector_edits(problem, 0).empty());
  problem.tensors[0].spec.strides[0] = 10;
  problem.tensors[0].spec.storage = 80;
  EXPECT_TRUE(flat_vector_edits(problem, 0).empty());
  EXPECT_TRUE(flat_vector_edits(testing::toy_problem(kBf16, 8, 16), 0).empty()) << "16 is a multiple of all vectors";
  EXPECT_TRUE(flat_vector_edits(testing::toy_problem(kBf16, 1, 9), 0).empty()) << "one row";
}

}  // namespace
}  // namespace assay
