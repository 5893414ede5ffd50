// Op moe_combine: cells that a contract does not use, data of skipped slots, tokens that a call writes. Op moe_sort: examples of
// each kind of contract, runs whose order is free, cells that a contract does not use.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "harness/core/expectation.h"
#include "reference/flow/routing/routing.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "suites/rulebook.h"
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
  EXPECT_THAT(error_of("vllm.moe_sum", {{"topk", "5"}}), HasSubstr("does not support topk = 5; supported: 2|3|4"));
  EXPECT_THAT(error_of("vllm.ep_gather", {{"x", "f16"}}), HasSubstr("does not support 'f16'; supported: bf16"));
  EXPECT_THAT(error_of("torch.sum_topk", {{"n", "1"}}), HasSubstr("expected at least 2"));
  EXPECT_THAT(error_of("vllm.moe_unpermute", {{"ids", "elsewhere"}, {"weights", "ones"}, {"padding", "nan"}}),
              HasSubstr("has no expert_map"));
  EXPECT_THAT(error_of("vllm.rms_norm@2026-06-18", {}), HasSubstr("expected a contract that adds the rows of experts"));
  EXPECT_THAT(with("ids", "none"), HasSubstr("'none' is not one of: local, absent, elsewhere, both"));
  EXPECT_THAT(with("ids", ""), HasSubstr("has slots to skip"));
  EXPECT_THAT(with("padding", "zero"), HasSubstr("'zero' is not one of: filled, nan"));
}

/// For each row of x: whether its first element is NaN.
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

namespace assay::moe_sort_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr int64_t kLeft = RoutedIndex::kUntouched;

const Op& op() { return shipped_op("moe_sort"); }
Routing row(const std::string& id) { return read_routing(rulebook().contracts.find(id)); }

/// Three tokens with two slots each. Slots 0, 3 and 5 have expert 1, slot 2 expert 0, slot 1 expert 3; slot 4 has no expert, and
/// expert 2 no slot.
RoutingInputs three_tokens() {
  (void)op();  // opens the rulebook
  RoutingInputs inputs;
  inputs.m = 3, inputs.topk = 2, inputs.experts = 4, inputs.block_size = 2, inputs.room = 10;
  inputs.ids = {1, 3, 0, 1, -1, 1};
  return inputs;
}

const std::vector<int64_t>& of(const Routed& result, const std::string& name) {
  for (const RoutedIndex& index : result.indices)
    if (index.name == name) return index.values;
  throw std::out_of_range(name);
}

TEST(MoeSort, BlocksArePaddedAndSlotsWithoutAnExpertAreLeftOut) {
  const Routed result = routed(row("vllm.moe_align_block_size@v0.26.0"), three_tokens());
  EXPECT_THAT(of(result, "sorted_ids"), ElementsAre(2, 6, 0, 3, 5, 6, 1, 6, 6, 6));
  EXPECT_THAT(of(result, "expert_ids"), ElementsAre(0, 1, 1, 3, -1));
  EXPECT_THAT(of(result, "num_tokens_post_pad"), ElementsAre(8));
  EXPECT_THAT(result.free, ElementsAre(Pair(2, 5))) << "expert 1 alone has several slots";
}

TEST(MoeSort, SglangPutsSlotsWithoutAnExpertFirst) {
  const Routed result = routed(row("sglang.moe_align_block_size"), three_tokens());
  EXPECT_THAT(of(result, "sorted_ids"), ElementsAre(4, 6, 2, 6, 0, 3, 5, 6, 1, 6));
  EXPECT_THAT(of(result, "expert_ids"), ElementsAre(-1, 0, 1, 1, 3));
}

TEST(MoeSort, AiterCountsTheRestOfAnExpertAndLeavesUnusedEntries) {
  RoutingInputs inputs = three_tokens();
  inputs.ids[4] = 2;
  const Routed result = routed(row("aiter.moe_align_block_size"), inputs);
  EXPECT_THAT(of(result, "sorted_ids"), ElementsAre(2, kLeft, 0, 3, 5, kLeft, 4, kLeft, 1, kLeft));
  EXPECT_THAT(of(result, "token_nums"), ElementsAre(1, 3, 1, 1, 1)) << "3 slots of expert 1, then the one that is left";
  EXPECT_TRUE(result.free.empty());
}

TEST(MoeSort, AMapDropsOrMarksExpertsElsewhere) {
  RoutingInputs inputs = three_tokens();
  inputs.map = {1, 0, -1, -1};
  inputs.ids[4] = 2;
  const Routed dropped = routed(row("vllm.moe_align_block_size@v0.26.0"), inputs);
  EXPECT_THAT(of(dropped, "sorted_ids"), ElementsAre(0, 3, 5, 6, 2, 6, 6, 6, 6, 6)) << "expert 1 is number 0";
  EXPECT_THAT(of(dropped, "expert_ids"), ElementsAre(0, 0, 1, -1, -1));
  const Routed marked = routed(row("vllm.moe_align_block_size_marked@v0.13.0"), inputs);
  EXPECT_THAT(of(marked, "expert_ids"), ElementsAre(1, 0, 0, -1, -1));
  inputs.map = {-1, 0, -1, 1}, inputs.ids = {0, 0, 0, 0, 0, 0};
  EXPECT_THAT(of(routed(row("vllm.moe_align_block_size_marked@v0.13.0"), inputs), "expert_ids"), ElementsAre(-1, -1, -1, 1, 1))
      << "torch reads expert_map[-1] as the last entry";
}

TEST(MoeSort, RowsAreOrderedByExpertAndThoseElsewhereComeLast) {
  RoutingInputs inputs = three_tokens();
  const Routed plain = routed(row("vllm.moe_permute@v0.30.0"), inputs);
  EXPECT_THAT(of(plain, "expert_first_token_offset"), ElementsAre(0, 1, 4, 4, 5));
  EXPECT_THAT(of(plain, "permuted_idx"), ElementsAre(2, 0, 3, 5, 1, 4));
  EXPECT_THAT(of(plain, "inv_permuted_idx"), ElementsAre(1, 4, 0, 2, 5, 3));
  EXPECT_THAT(plain.rows, ElementsAre(1, 0, 1, 2, 0, 2)) << "without a map, rows of no expert are written too";
  inputs.map = {-1, 0, -1, 1};
  const Routed mapped = routed(row("vllm.moe_permute@v0.30.0"), inputs);
  EXPECT_THAT(of(mapped, "expert_first_token_offset"), ElementsAre(0, 3, 4));
  EXPECT_THAT(of(mapped, "permuted_idx"), ElementsAre(0, 3, 5, 1, 6, 6));
  EXPECT_THAT(of(mapped, "inv_permuted_idx"), ElementsAre(0, 3, 4, 1, 5, 2))
      << "slot 2, whose expert 0 is on another device, is sorted like slot 4";
  EXPECT_THAT(mapped.rows, ElementsAre(0, 1, 2, 0, Routed::kUntouched, Routed::kUntouched));
}

TEST(MoeSort, AGivenOrderMayNameRowsTwiceOrOutside) {
  RoutingInputs inputs = three_tokens();
  inputs.moves = {2, 0, -1, 2, 3};
  EXPECT_THAT(routed(row("vllm.shuffle_rows@v0.29.0"), inputs).rows, ElementsAre(2, 0, Routed::kZeros, 2, Routed::kZeros));
}

TEST(MoeSort, TheCheckFollowsTheOrderThatAKernelChose) {
  const Routing contract = row("vllm.moe_align_block_size@v0.26.0");
  Routed right = routed(contract, three_tokens());
  follow_order(right, {2, 6, 5, 0, 3, 6, 1, 6, 6, 6});
  EXPECT_THAT(of(right, "sorted_ids"), ElementsAre(2, 6, 5, 0, 3, 6, 1, 6, 6, 6));
  right = routed(contract, three_tokens());
  follow_order(right, {2, 6, 5, 5, 2, 6, 1, 6, 6, 6});
  EXPECT_THAT(of(right, "sorted_ids"), ElementsAre(2, 6, 5, 0, 3, 6, 1, 6, 6, 6))
      << "a slot twice, and one of another expert: two entries are wrong";
}

TestCells cells_of(const std::string& contract) {
  return {{"contract", contract}, {"x", ""},       {"m", "13"},       {"topk", "4"}, {"n", ""},     {"experts", "9"},
          {"block_size", "4"},    {"entries", ""}, {"ids", "spread"}, {"fill", ""},  {"seed", "1"}, {"warp", "32"}};
}

std::string error_of(const std::string& contract, const TestCells& changes) {
  const std::string refusal = refusal_of(op(), cells_of(contract), changes);
  return refusal.empty() ? "no error" : refusal;
}

TEST(MoeSort, RefusesCellsThatTheContractHasNoUseFor) {
  const std::string align = "vllm.moe_align_block_size@v0.26.0", permute = "vllm.moe_permute";
  const TestCells rows = {{"x", "bf16"}, {"n", "8"}, {"block_size", ""}, {"fill", "normal"}};
  const auto with = [&](const char* column, const char* cell) {
    TestCells changes = rows;
    changes[column] = cell;
    return error_of(permute, changes);
  };
  EXPECT_EQ(error_of(align, {}), "no error");
  EXPECT_EQ(error_of(permute, rows), "no error");
  EXPECT_THAT(error_of(align, {{"x", "bf16"}}), HasSubstr("has no rows"));
  EXPECT_THAT(error_of(align, {{"experts", "3"}}), HasSubstr("expected at least topk = 4 experts, got 3"));
  EXPECT_THAT(error_of(align, {{"ids", "few"}}), HasSubstr("'few' is not one of: spread, one, absent, elsewhere, both"));
  EXPECT_THAT(error_of("sglang.moe_align_block_size", {{"ids", "elsewhere"}}), HasSubstr("has no expert_map"));
  EXPECT_THAT(error_of("aiter.moe_align_block_size", {{"ids", "absent"}}), HasSubstr("does not support ids that are absent"));
  EXPECT_THAT(error_of("vllm.moe_sum", {}), HasSubstr("expected a contract that sorts the slots of tokens"));
  EXPECT_THAT(with("x", "int32"), HasSubstr("does not support 'int32'; supported: bf16|f16|f32|e4m3fn"));
  EXPECT_THAT(with("block_size", "4"), HasSubstr("has no blocks"));
  EXPECT_THAT(with("entries", "99"), HasSubstr("has no number of entries"));
}

TEST(MoeSort, WhatACallMustNotWriteIsPadding) {
  const std::unique_ptr<const BoundCase> one = op().bind(case_of(op(), cells_of("aiter.moe_align_block_size"), {}));
  const Problem made = one->problem();
  const Expectation accepted = one->expect(made, nullptr);
  int64_t left = 0, written = 0;
  for (const Part& part : accepted.parts()) {
    written += part.elements();
    if (part.padding) part.padding([&](const Padding& at) { left += at.rule == PaddingRule::kUntouched; });
  }
  EXPECT_EQ(find(made.tensors, "sorted_ids").spec.elements(), 13 * 4 + 10 * 3);
  EXPECT_EQ(written + left, 82 + 2 * 21 + 1);
  EXPECT_GT(left, 30) << "entries without a slot, and blocks that are not in use";
}

std::string cell_error(const std::string& id, const std::map<std::string, std::string>& cells) {
  (void)op();
  ContractRow wrong = rulebook().contracts.find(id);
  for (const auto& [column, text] : cells) wrong.cells[column].text = text;
  try {
    (void)read_routing(wrong);
  } catch (const TableError& error) {
    return error.what();
  }
  return "no error";
}

TEST(MoeSort, ErrorsNameTheCell) {
  EXPECT_EQ(cell_error("vllm.moe_permute", {}), "no error");
  EXPECT_THAT(cell_error("vllm.moe_permute", {{"order", "any"}}),
              HasSubstr("'any': expected one of: an empty cell, ascending, free"));
  EXPECT_THAT(cell_error("vllm.moe_permute", {{"pads", "slots"}}), HasSubstr("is only allowed if sorts_into is 'blocks'"));
  EXPECT_THAT(cell_error("vllm.moe_permute", {{"numbers", ""}}), HasSubstr("must be empty if sorts_into is 'blocks'"));
  EXPECT_THAT(cell_error("vllm.moe_permute", {{"numbers", "e2m1"}}), HasSubstr("expected a format of whole bytes"));
  EXPECT_THAT(cell_error("vllm.moe_permute", {{"absent", "zero"}}), HasSubstr("if sorts_into is 'given order', expected zero"));
  EXPECT_THAT(cell_error("aiter.moe_align_block_size", {{"absent", "last"}}),
              HasSubstr("last is not allowed if sorts_into is 'blocks'"));
  EXPECT_THAT(cell_error("vllm.shuffle_rows", {{"order", "free"}}),
              HasSubstr("is only allowed if sorts_into is not 'given order'"));
}

}  // namespace
}  // namespace assay::moe_sort_test
