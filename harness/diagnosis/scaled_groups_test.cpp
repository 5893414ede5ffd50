// Tests scaled_groups.cpp: mistakes that occur only in groups of elements with large inputs.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "harness/diagnosis/wrong_part.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

/// What groups_apart() says if the groups in `wrong` are wrong, and a hypothesis explains them and would change all others. Input
/// x is 1, except for a large number in each group of `large`.
std::string where_in_groups(const std::set<int64_t>& wrong, const std::set<int64_t>& large, bool explained = true) {
  constexpr int64_t kRows = 2, kColumns = 32, kGroups = 4, kWidth = kColumns / kGroups;
  Answer answer;
  answer.parts.push_back({.tensor = "q", .format = &kE4M3Fn, .shape = {kRows, kColumns}});
  answer.parts.push_back({.tensor = "scale", .format = &kF32, .shape = {kRows, kGroups}});
  Memberships contract, hypothesis;
  for (const int64_t columns : {kColumns, kGroups}) {
    contract.parts.emplace_back(size_t(kRows * columns), Membership::kInside);
    hypothesis.parts.emplace_back(size_t(kRows * columns), Membership::kInside);
    for (int64_t i = 0; i < kRows * columns; ++i) {
      const bool is_wrong = wrong.contains(columns == kGroups ? i : i / kWidth);
      contract.parts.back()[size_t(i)] = is_wrong ? Membership::kOutside : Membership::kInside;
      hypothesis.parts.back()[size_t(i)] = is_wrong && explained ? Membership::kInside : Membership::kOutside;
    }
  }
  HostTensor x{dense("x", Role::kInput, kF32, {kRows, kColumns}), std::vector<std::byte>(size_t(4 * kRows * kColumns))};
  for (int64_t i = 0; i < kRows * kColumns; ++i)
    x.set_code(i, code_of(kF32, large.contains(i / kWidth) && i % kWidth == 3 ? -128.0 : 1.0));
  return groups_apart(answer, contract, hypothesis, Problem{{std::move(x)}});
}

TEST(ScaledGroups, GroupsWithLargeInputsAreNamed) {
  EXPECT_EQ(where_in_groups({1, 6}, {1, 6}), ", only where in a group |x[i, j]| reaches 128");
  EXPECT_EQ(where_in_groups({1, 6}, {1}), "") << "group 6 has no such input";
  EXPECT_EQ(where_in_groups({1, 6}, {1, 5, 6}), "") << "group 5 has one, and is right";
  EXPECT_EQ(where_in_groups({1}, {1}), "") << "one group is too little evidence";
  EXPECT_EQ(where_in_groups({1, 6}, {1, 6}, false), "") << "the hypothesis does not explain the groups";
}

}  // namespace
}  // namespace assay
