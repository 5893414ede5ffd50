// Mistakes of all-reduces: each shows, and none of them is what a row may say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reference/flow/flow.h"
#include "reference/flow/rank_reduce/edits.h"
#include "reference/flow/rank_squares/rank_squares.h"
#include "reference/testing/ranks.h"

namespace assay::rank_edits {
namespace {

TEST(RankEdits, EveryMistakeShowsOnDataThatCancel) {
  for (const char* id :
       {"vllm.all_reduce_1stage", "vllm.all_reduce_2stage", "flashinfer.all_reduce_twoshot_native", "assay.all_reduce_ring"}) {
    const RankReduce contract = contract_of_ranks(id);
    RankInputs in = inputs_of_ranks(kBf16, 4, 8 * 41, 11);
    in.before = inputs_of_ranks(kBf16, 4, 8 * 41, 12).x;
    for (int r = 0; r < 4; ++r) in.x[size_t(r)][5] = r == 3 ? 60000.0 : 30000.0;  // beyond fp16
    for (int r = 0; r < 4; ++r) in.x[size_t(r)][6] = -0.0;
    for (int r = 0; r < 4; ++r) in.x[size_t(r)][7] = 0x1p-130;  // subnormal
    const RankSums right(contract, kBf16, in);
    for (const RankNeighbour& wrong : rank_neighbours(contract, kBf16, 4, 8 * 41, true)) {
      if (wrong.name.starts_with("wire: nothing -> neg") || wrong.name == "wire: add(0) -> nothing") continue;
      bool seen = false;
      for (int rank = 0; rank < 4; ++rank) {
        const Spans a = right.results(rank, 0, 8 * 41), b = RankSums(wrong.contract, kBf16, in).results(rank, 0, 8 * 41);
        ASSERT_EQ(a.size(), b.size()) << wrong.name;
        for (size_t i = 0; i < a.size(); ++i) seen |= !same_number(a.low[i], b.low[i]);
      }
      EXPECT_TRUE(seen) << id << ": " << wrong.name;
    }
  }
}

/// What a rank returns of 1, 2, 4 and 8; in the call before they were 16, 32, 64 and 128.
double returned(const RankReduce& contract, int rank = 0) {
  const RankInputs in{{{1}, {2}, {4}, {8}}, {{16}, {32}, {64}, {128}}};
  return RankSums(contract, kF32, in).results(rank, 0, 1)[0].low;
}

TEST(RankEdits, StepsDoWhatTheySay) {
  RankReduce contract = contract_of_ranks("vllm.all_reduce_1stage");
  EXPECT_EQ(returned(contract), 15);
  contract.terms = {{TermStep::kDrop, 2}};
  EXPECT_EQ(returned(contract), 11);
  contract.terms = {{TermStep::kRepeat, 2}};
  EXPECT_EQ(returned(contract), 19);
  contract.terms = {{TermStep::kRecall, 3}};
  EXPECT_EQ(returned(contract), 7 + 128);
  contract.terms = {{TermStep::kRecall, 3}, {TermStep::kDrop, 0}};
  EXPECT_EQ(returned(contract), 6 + 128) << "one after the other";
  contract.terms.clear();
  contract.result = ResultStep{ResultStep::kOwnNumbers, 1};
  EXPECT_EQ(returned(contract, 0), 15);
  EXPECT_EQ(returned(contract, 1), 2);
}

TEST(RankEdits, NoRowSaysWhatOnlyEditsDo) {
  int rows = 0;
  for (const ContractRow& row : tables_of_ranks().rows()) {
    EXPECT_TRUE(row.flow->kind != FlowKind::kRankSquares || read_rank_squares(row).steps.empty()) << row.id;
    if (row.flow->kind != FlowKind::kRankReduce) continue;
    ++rows;
    const RankReduce contract = read_rank_reduce(row);
    EXPECT_TRUE(contract.terms.empty() && !contract.result) << row.id;
    EXPECT_TRUE(contract.codec.of_sums) << row.id;
    EXPECT_TRUE(contract.codec.keeper == 0 || !contract.codec.keeps_sums()) << row.id;
  }
  EXPECT_GT(rows, 20);
}

}  // namespace
}  // namespace assay::rank_edits
