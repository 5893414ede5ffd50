// Op moe_combine: cells that a contract has no use for, the data of skipped slots, and which tokens a call writes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "harness/core/expectation.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "suites/testing/case_with.h"

namespace assay::moe_combine_test {
namespace {

using testing::HasSubstr;

const Op& op() { return shipped_op("moe_combine"); }

TestCells cells_of(const std::string& contract) {
  return {{"contract", contract}, {"x", "bf16"},   {"m", "7"},     {"topk", "4"},   {"n", "3"},    {"ids", ""},
          {"fill", "normal"},     {"weights", ""}, {"factor", ""}, {"padding", ""}, {"seed", "1"}, {"warp", "32"}};
}

std::unique_ptr<const BoundCase> bound(const std::string& contract, const TestCells& changes = {}) {
  return op().bind(case_of(op(), cells_of(contract), changes));
}

std::string error_of(const std::string& contract, const TestCells& changes) {
  const std::string refusal = refusal_of(op(), cells_of(contract), changes);
  return refusal.empty() ? "no error" : refusal;
}

TEST(MoeCombine, RefusesCellsThatTheContractHasNoUseFor) {
  const TestCells fused = {{"ids", "both"}, {"weights", "scales"}, {"padding", "nan"}};
  const auto with = [&](const char* column, const char* cell) {
    TestCells changes = fused;
    changes[column] = cell;
    return error_of("vllm.moe_fused_mul_sum", changes);
  };
  EXPECT_EQ(error_of("vllm.moe_sum", {}), "no error");
  EXPECT_EQ(error_of("vllm.moe_fused_mul_sum", fused), "no error");
  EXPECT_THAT(error_of("vllm.moe_sum", {{"weights", "scales"}}), HasSubstr("has no router weights"));
  EXPECT_THAT(error_of("vllm.moe_sum", {{"ids", "absent"}}), HasSubstr("has no slots to skip"));
  EXPECT_THAT(error_of("vllm.moe_sum", {{"factor", "2"}}), HasSubstr("has no routed scaling factor"));
  EXPECT_THAT(error_of("vllm.moe_sum", {{"padding", "nan"}}), HasSubstr("has no unused rows"));
  EXPECT_THAT(error_of("vllm.moe_sum", {{"topk", "5"}}), HasSubstr("does not support 5; supported: 2|3|4"));
  EXPECT_THAT(error_of("vllm.ep_gather", {{"x", "f16"}}), HasSubstr("does not support 'f16'; supported: bf16"));
  EXPECT_THAT(error_of("torch.sum_topk", {{"n", "1"}}), HasSubstr("adds a single column in another order"));
  EXPECT_THAT(error_of("vllm.moe_unpermute", {{"ids", "elsewhere"}, {"weights", "ones"}, {"padding", "nan"}}), HasSubstr("has no expert_map"));
  EXPECT_THAT(error_of("vllm.rms_norm@2026-06-18", {}), HasSubstr("this op combines the rows of experts"));
  EXPECT_THAT(with("ids", "none"), HasSubstr("'none' is not one of: local, absent, elsewhere, both"));
  EXPECT_THAT(with("ids", ""), HasSubstr("has slots to skip"));
  EXPECT_THAT(with("padding", "zero"), HasSubstr("'zero' is not one of: filled, nan"));
}

/// Elements of x that are NaN, row by row.
std::vector<bool> nan_rows(const HostTensor& x) {
  const int64_t n = x.spec.shape.back();
  std::vector<bool> rows;
  for (int64_t row = 0; row < x.spec.elements() / n; ++row) rows.push_back(std::isnan(decode(*x.spec.format, x.code(row * n))));
  return rows;
}

TEST(MoeCombine, RowsOfSkippedSlotsHoldNanAndTokenOneHasNone) {
  const Problem made = bound("vllm.moe_sum_pad_aware", {{"ids", "absent"}, {"padding", "nan"}})->problem();
  const HostTensor& ids = find(made.tensors, "topk_ids");
  const std::vector<bool> nan = nan_rows(find(made.tensors, "x"));
  int skipped = 0;
  for (int64_t slot = 0; slot < 7 * 4; ++slot) {
    const bool absent = int32_t(ids.code(slot)) < 0;
    skipped += absent;
    EXPECT_EQ(nan[size_t(slot)], absent) << slot;
    if (slot / 4 == 1 || slot == 0 || slot == 2 * 4 + 3) {
      EXPECT_TRUE(absent) << slot;
    }
  }
  EXPECT_LT(skipped, 20) << "some slots are added";
}

TEST(MoeCombine, EveryRowInUseBelongsToOneSlot) {
  for (const char* contract : {"vllm.moe_unpermute", "vllm.moe_unpermute@v0.9.0"}) {
    const Problem made = bound(contract, {{"ids", "absent"}, {"weights", "ones"}, {"padding", "nan"}})->problem();
    const HostTensor& rows = find(made.tensors, "row_of_slot");
    const std::vector<bool> nan = nan_rows(find(made.tensors, "x"));
    int64_t in_use = 0;
    for (const auto& [name, value] : made.parameters)
      if (name == "rows_in_use") in_use = int64_t(value);
    std::vector<int> slots(nan.size(), 0);
    for (int64_t i = 0; i < rows.spec.elements(); ++i) ++slots.at(size_t(rows.code(i)));
    for (size_t row = 0; row < nan.size(); ++row) {
      EXPECT_LE(slots[row], 1) << row;
      EXPECT_EQ(nan[row], int64_t(row) >= in_use) << row;
    }
  }
}

TEST(MoeCombine, TokensWithoutIdsStayAsTheyWereOrGetZeros) {
  const TestCells cells = {{"ids", "absent"}, {"weights", "ones"}, {"padding", "nan"}};
  const auto fused = bound("vllm.moe_fused_mul_sum", cells);
  const Problem made = fused->problem();
  const Expectation accepted = fused->expect(made, nullptr);
  const Part& y = accepted.parts().front();
  EXPECT_EQ(y.rows(), 5) << "without tokens 1 and 6";
  EXPECT_EQ(y.number_of(1), 2);
  EXPECT_EQ(y.offset(1, 0), 2 * 3);
  int padding = 0;
  y.padding([&](const Padding& one) {
    ++padding;
    EXPECT_TRUE(one.rule == PaddingRule::kUntouched && (one.at[0] == 1 || one.at[0] == 6));
  });
  EXPECT_EQ(padding, 2 * 3);

  const auto aware = bound("vllm.moe_sum_pad_aware", {{"ids", "absent"}, {"padding", "nan"}});
  const Problem others = aware->problem();
  const std::vector<WholePart> whole = computed(aware->expect(others, nullptr));
  EXPECT_EQ(whole[0].part.rows(), 7);
  const int32_t zero = ordinal(kBf16, 0);
  EXPECT_TRUE(whole[0].at(3) == (Interval{zero, zero})) << "zeros for token 1";
}

}  // namespace
}  // namespace assay::moe_combine_test
