// Quantizations with two levels of scales: group scales are relative to a given scale of the tensor, row or expert.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "harness/core/expectation.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "suites/registry.h"
#include "suites/testing/case_with.h"

namespace assay::row_two_levels_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;

const TestCells kTensor = {{"contract", "quant.two"},  {"x", "f32"},      {"m", "3"},         {"n", "8"},
                           {"group_size", "4+tensor"}, {"layout", "row"}, {"fill", "normal"}, {"global_scale", "scales"},
                           {"scale_ub", ""},           {"seed", "1"},     {"warp", "32"}};
const TestCells kExperts = {
    {"contract", "quant.two"}, {"x", "f32"},       {"tokens", "2;0;3"},        {"n", "8"},    {"group_size", "4+tensor"},
    {"layout", "row"},         {"fill", "normal"}, {"global_scale", "scales"}, {"seed", "1"}, {"warp", "32"}};

const Op& quant() { return shipped_ops().find("quant_group"); }
const Op& experts() { return shipped_ops().find("quant_experts"); }

/// Ordinals of the lowest accepted codes of q and scale.
struct Answer {
  std::vector<int32_t> q, scale;
  bool operator==(const Answer&) const = default;
};
Answer answer(const Expectation& expectation) {
  const std::vector<WholePart> parts = computed(expectation);
  return {parts.at(0).low, parts.at(1).low};
}

struct Bound {
  Case one;
  std::unique_ptr<const BoundCase> bound;
  Problem problem;

  Bound(const Op& op, const TestCells& usual, const TestCells& changed = {})
      : one(case_of(op, usual, changed)), bound(op.bind(one)), problem(bound->problem()) {}
  Answer right() const { return answer(bound->expect(problem, nullptr)); }
  double outer(int64_t at) const { return decode(kF32, find(problem.tensors, "global_scale").code(at)); }
};

using RowTwoLevels = WithTwoLevels;

/// Computes contract quant.two with each operation rounded to f32: scale = e4m3(amax / 448 * g), code = e4m3(x * (g / scale)).
void expect_by_hand(const Bound& c, int64_t rows, const std::function<double(int64_t row)>& outer_of) {
  const HostTensor& x = find(c.problem.tensors, "x");
  const Answer all = c.right();
  const auto fl = [](double v) { return double(float(v)); };
  const auto e4m3 = [](double v) { return round_to(kE4M3Fn, v, Rounding::kNearestEven, Overflow::kSaturate); };
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t group = 0; group < 2; ++group) {
      double amax = 0;
      for (int64_t i = 0; i < 4; ++i) amax = std::max(amax, std::fabs(decode(kF32, x.code(row * 8 + 4 * group + i))));
      const double g = outer_of(row), scale = e4m3(fl(fl(amax * fl(1.0 / 448)) * g)), m = fl(g / scale);
      ASSERT_EQ(decode(kF32, code_from_ordinal(kF32, all.scale[size_t(row * 2 + group)])), scale) << row << " " << group;
      for (int64_t i = 0; i < 4; ++i) {
        const int64_t at = row * 8 + 4 * group + i;
        ASSERT_EQ(all.q[size_t(at)], ordinal(kE4M3Fn, code_of(kE4M3Fn, e4m3(fl(decode(kF32, x.code(at)) * m))))) << at;
      }
    }
}

TEST_F(RowTwoLevels, ScalesOfGroupsAreRelativeToTheGivenOne) {
  const Bound tensor(quant(), kTensor), rows(quant(), kTensor, {{"group_size", "4+row"}}), of_experts(experts(), kExperts);
  EXPECT_THAT(find(tensor.problem.tensors, "global_scale").spec.shape, ElementsAre(1));
  EXPECT_THAT(find(rows.problem.tensors, "global_scale").spec.shape, ElementsAre(3));
  EXPECT_THAT(find(of_experts.problem.tensors, "global_scale").spec.shape, ElementsAre(3)) << "one an expert";
  ASSERT_NE(rows.outer(0), rows.outer(1));
  expect_by_hand(tensor, 3, [&](int64_t) { return tensor.outer(0); });
  expect_by_hand(rows, 3, [&](int64_t row) { return rows.outer(row); });
  expect_by_hand(of_experts, 5, [&](int64_t row) { return of_experts.outer(row < 2 ? 0 : 2); });
}

TEST_F(RowTwoLevels, OpsNameTheGivenScaleAmongTheirTensors) {
  for (const char* op : {"quant_group", "quant_experts", "rms_norm_quant_group", "silu_mul_quant_group"}) {
    const std::vector<RoleSpec>& roles = shipped_ops().find(op).roles;
    EXPECT_TRUE(std::any_of(roles.begin(), roles.end(), [](const RoleSpec& role) {
      return role.name == "global_scale" && role.access == Access::kIn;
    })) << op;
  }
}

TEST_F(RowTwoLevels, TheDataShowEveryMistakeOfTheOuterLevel) {
  const std::vector<std::string> always = {"global_scale: taken as 1", "global_scale: its reciprocal", "scale: drop mul(g)"},
                                 of_many = {"global_scale: of the first rows", "global_scale: of the next rows"};
  for (const bool many : {false, true}) {
    const Bound c(quant(), kTensor, {{"group_size", many ? "4+row" : "4+tensor"}});
    std::vector<std::string> seen;
    for (const Hypothesis& wrong : c.bound->mutants())
      if (answer(wrong.expect(c.problem, nullptr)) != c.right()) seen.push_back(wrong.name);
    EXPECT_THAT(seen, IsSupersetOf(always));
    for (const std::string& name : of_many) EXPECT_EQ(std::count(seen.begin(), seen.end(), name), many) << name;
  }
}

TEST_F(RowTwoLevels, SomeRowsKeepTheirScales) {
  const Bound c(quant(), kTensor, {{"group_size", "4+row"}});
  const CaseOfRows some = c.bound->with_rows(c.problem, {2, 0});
  const Answer rows = answer(some.bound->expect(some.problem, nullptr)), all = c.right();
  EXPECT_TRUE(std::equal(rows.q.begin(), rows.q.begin() + 8, all.q.begin() + 16));
  EXPECT_TRUE(std::equal(rows.q.begin() + 8, rows.q.end(), all.q.begin()));
  EXPECT_TRUE(std::equal(rows.scale.begin(), rows.scale.begin() + 2, all.scale.begin() + 4));
}

TEST_F(RowTwoLevels, ADumpIsRecognized) {
  const Bound c(quant(), kTensor);
  DumpedRoles roles;
  for (HostTensor tensor : c.problem.tensors) {
    tensor.bytes.resize(tensor.spec.bytes());
    roles[tensor.spec.name] = {tensor, "dump.safetensors", tensor.spec.name, std::string(tensor.spec.format->name), false};
  }
  const DumpCase dump = quant().case_of_dump(quant(), {"quant.two", roles, {{"group_size", "4+tensor"}}});
  EXPECT_EQ(dump.one.text("group_size"), "4+tensor");
  EXPECT_EQ(dump.bound->name().shape, "f32.m3.n8.g4+tensor.row");
  EXPECT_THAT(find(dump.problem.tensors, "global_scale").spec.shape, ElementsAre(1));
}

TEST_F(RowTwoLevels, ACaseNeedsTheGivenScale) {
  EXPECT_THAT(refusal_of(quant(), kTensor, {{"global_scale", ""}}),
              HasSubstr("global_scale: contract quant.two requires global_scale"));
  EXPECT_THAT(refusal_of(quant(), kTensor, {{"contract", "vllm.group_fp8"}, {"x", "bf16"}, {"n", "128"}, {"group_size", "128"}}),
              HasSubstr("global_scale: contract vllm.group_fp8 does not take global_scale"));
  EXPECT_THAT(refusal_of(quant(), kTensor, {{"group_size", "4"}}), HasSubstr("has groups of 4+tensor|4+row, not 4"));
}

}  // namespace
}  // namespace assay::row_two_levels_test
