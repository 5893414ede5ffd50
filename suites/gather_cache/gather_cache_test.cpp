// Op gather_cache: cells that a contract has no use for, the tables of a case, and which storage a call must not change.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "harness/core/expectation.h"
#include "reference/formats/catalogue.h"
#include "suites/testing/case_with.h"

namespace assay::gather_cache_test {
namespace {

using testing::HasSubstr;

const Op& op() { return shipped_op("gather_cache"); }

TestCells cells_of(const std::string& contract) {
  return {{"contract", contract}, {"y", "bf16"},  {"blocks", "5"}, {"block_size", "16"},     {"gap", "0"},
          {"lengths", "5;0;17"},  {"starts", ""}, {"pitch", ""},   {"fill", "uniform_bits"}, {"copied", ""},
          {"scale", "scales"},    {"seed", "1"},  {"warp", "32"}};
}

std::unique_ptr<const BoundCase> bound(const std::string& contract, const TestCells& changes = {}) {
  return op().bind(case_of(op(), cells_of(contract), changes));
}

std::string error_of(const std::string& contract, const TestCells& changes) {
  const std::string refusal = refusal_of(op(), cells_of(contract), changes);
  return refusal.empty() ? "no error" : refusal;
}

constexpr const char* kMla = "vllm.gather_mla_fp8@v0.12.0";

TEST(GatherCache, RefusesCellsThatTheContractHasNoUseFor) {
  EXPECT_EQ(error_of(kMla, {}), "no error");
  EXPECT_THAT(error_of(kMla, {{"copied", "normal"}}), HasSubstr("has no uncoded elements"));
  EXPECT_THAT(error_of(kMla, {{"y", "e4m3fn"}}), HasSubstr("does not support 'e4m3fn'; supported: bf16|f16|f32"));
  EXPECT_THAT(error_of(kMla, {{"lengths", ""}}), HasSubstr("has a block table"));
  EXPECT_THAT(error_of(kMla, {{"starts", "1"}}), HasSubstr("expected one for each of 3 sequences, got 1"));
  EXPECT_THAT(error_of(kMla, {{"pitch", "570"}}), HasSubstr("rows of 576 would overlap"));
  EXPECT_THAT(error_of(kMla, {{"gap", "8"}}), HasSubstr("a block of 9224 bytes is not a multiple of 16"));
  EXPECT_THAT(error_of("vllm.gather_indexer_k", {}), HasSubstr("has no format of numbers"));
  EXPECT_THAT(error_of("vllm.gather_indexer_k", {{"y", ""}, {"starts", "0;0;0"}}), HasSubstr("has no seq_starts"));
  EXPECT_THAT(error_of("vllm.gather_indexer_k", {{"y", ""}, {"pitch", "144"}}), HasSubstr("has dense rows"));
  EXPECT_THAT(error_of("vllm.convert_fp8", {{"lengths", ""}, {"gap", "16"}}), HasSubstr("reads the cache as dense memory"));
  EXPECT_THAT(error_of("vllm.mla_fp8", {}), HasSubstr("this op reads a cache"));
}

TEST(GatherCache, SequencesHaveBlocksOfTheirOwnAndSpareColumns) {
  const Problem made = bound(kMla)->problem();
  const HostTensor& table = find(made.tensors, "block_table");
  EXPECT_EQ(table.spec.shape, (std::vector<int64_t>{3, 4})) << "two blocks for 17 tokens, and two spare columns";
  std::set<uint32_t> used = {table.code(0), table.code(8), table.code(9)};
  EXPECT_EQ(used.size(), 3u);
  EXPECT_LT(*used.rbegin(), 5u);
  EXPECT_EQ(find(made.tensors, "cu_seq_lens").code(3), 22u);
}

int untouched(const BoundCase& one) {
  const Problem made = one.problem();
  const Expectation accepted = one.expect(made, nullptr);
  int count = 0;
  for (const Part& part : accepted.parts())
    if (part.padding) part.padding([&](const Padding& at) { count += at.rule == PaddingRule::kUntouched; });
  return count;
}

TEST(GatherCache, RowsAfterTheLastTokenAndGapsOfYStayAsTheyWere) {
  EXPECT_EQ(untouched(*bound(kMla)), 2 * 576);
  EXPECT_EQ(untouched(*bound(kMla, {{"pitch", "600"}})), 23 * 24 + 2 * 576) << "no gap behind the last row";
  EXPECT_EQ(untouched(*bound("vllm.gather_indexer_k@v0.20.0", {{"y", ""}})), 2 * 128 + 2);
  EXPECT_EQ(untouched(*bound("vllm.gather_indexer_k", {{"y", ""}})), 0);
}

TEST(GatherCache, PartsOfARowAreNumbersAndCopies) {
  const auto one = bound("vllm.gather_ds_mla", {{"copied", "specials"}, {"pitch", "584"}});
  const Problem made = one->problem();
  const Expectation accepted = one->expect(made, nullptr);
  ASSERT_EQ(accepted.parts().size(), 2u);
  EXPECT_EQ(accepted.parts()[0].label(), "y.codes");
  EXPECT_EQ(accepted.parts()[1].label(), "y.rope");
  EXPECT_EQ(accepted.parts()[1].offset(2, 3), 2 * 584 + 512 + 3);
  EXPECT_EQ(one->trace(made, 6, 520).size(), 3u) << "its place, and the copied element";
}

}  // namespace
}  // namespace assay::gather_cache_test
