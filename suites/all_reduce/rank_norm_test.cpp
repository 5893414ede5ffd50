// Ops all_reduce_add_rms_norm (each rank returns the norm of the sum over ranks) and all_reduce_rms_norm (each rank returns its
// columns of the norm over the columns of all ranks).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "harness/compare/compare.h"
#include "reference/flow/rank_reduce/rank_norm.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "suites/all_reduce/rank_case.h"
#include "suites/all_reduce_rms_norm/sharded_case.h"
#include "suites/registry.h"
#include "suites/rulebook.h"
#include "suites/testing/case_with.h"

namespace assay::fused_test {
namespace {

using testing::HasSubstr;

const Op& fused() { return shipped_op("all_reduce_add_rms_norm"); }

const TestCells kUsual = {{"contract", "flashinfer.all_reduce_add_rms_norm_twoshot"},
                          {"ranks", "4"},
                          {"x", "bf16"},
                          {"m", "2"},
                          {"n", "256"},
                          {"eps", "1e-6"},
                          {"fill", "rank_cancel"},
                          {"residual", "normal"},
                          {"gamma", "gamma"},
                          {"before", "1"},
                          {"seed", "1"},
                          {"warp", "32"}};

Case case_with(const TestCells& cells) { return case_of(fused(), kUsual, cells); }

std::vector<HostTensor> outputs_by(const Problem& problem, const Expectation& expectation) {
  std::vector<HostTensor> outputs;
  for (const WholePart& whole : computed(expectation))
    for (const HostTensor& tensor : problem.tensors)
      if (tensor.spec.name == whole.part.tensor && tensor.spec.rank == whole.part.rank) {
        HostTensor& out = outputs.emplace_back(tensor);
        out.bytes.resize(out.spec.bytes());
        for (int64_t i = 0; i < whole.part.elements(); ++i)
          out.set_code(i, code_from_ordinal(*whole.part.format, whole.at(i).low));
      }
  return outputs;
}

TEST(FusedRanks, TheAnswerIsThatOfTheNormOnTheSum) {
  const Case one = case_with({});
  const Problem problem = fused().bind(one)->problem();
  const std::vector<WholePart> all = computed(fused().bind(one)->expect(problem, nullptr));
  ASSERT_EQ(all.size(), 8u);

  // all_reduce followed by fused_add_rms_norm gives the same result as the fused op
  const RankNorm parts = read_rank_norm(rulebook().contracts.find(one.text("contract")));
  const auto sum = shipped_ops().find("all_reduce").bind(with_cells(one, {{"contract", parts.reduce}}));
  const auto rows = shipped_ops().find("fused_add_rms_norm").bind(with_cells(one, {{"contract", parts.then}, {"fill", "zeros"}}));
  const std::vector<WholePart> sums = computed(sum->expect(sum->problem(), nullptr));
  Problem norm = rows->problem();
  for (int64_t i = 0; i < 512; ++i) find(norm.tensors, "x").set_code(i, code_from_ordinal(kBf16, sums[3].low[size_t(i)]));
  const std::vector<WholePart> alone = computed(rows->expect(norm, nullptr));
  for (const WholePart& part : all)
    for (const WholePart& other : alone)
      if (part.part.tensor == other.part.tensor) {
        EXPECT_EQ(part.low, other.low) << part.part.label();
        EXPECT_EQ(part.high, other.high) << part.part.label();
      }
}

TEST(FusedRanks, EachRankCombinesItsOwnRows) {
  const TestCells finalize = {{"contract", "flashinfer.moe_finalize_all_reduce_add_rms_norm"},
                              {"topk", "3"},
                              {"ids", "absent"},
                              {"router_weights", "scales"},
                              {"factor", "2.5"},
                              {"padding", "nan"},
                              {"shared", "normal"},
                              {"n", "8"}};
  const std::unique_ptr<const BoundCase> bound = fused().bind(case_with(finalize));
  const Problem given = bound->problem();
  Problem other = given;
  for (HostTensor& tensor : other.tensors)
    if (tensor.spec.rank == 3 && tensor.spec.name == "row_of_slot") tensor.set_code(1, tensor.code(1) ^ 1);
  const auto low = [&](const Problem& problem) { return computed(bound->expect(problem, nullptr)).front().low; };
  EXPECT_NE(low(given), low(other)) << "the index of the last rank matters";
  EXPECT_THAT(refusal_of(fused(), kUsual, {{"topk", "3"}}), HasSubstr("has no combine stage"));
}

TEST(FusedRanks, RanksMustHaveTheSameBits) {
  const Case one = case_with({});
  const Problem problem = fused().bind(one)->problem();
  std::vector<HostTensor> outputs = outputs_by(problem, fused().bind(one)->expect(problem, nullptr));
  EXPECT_TRUE(compare(fused().bind(one)->expect(problem, &outputs), outputs, {}).agrees());
  HostTensor* residual = nullptr;
  for (HostTensor& tensor : outputs)
    if (tensor.spec.rank == 2 && tensor.spec.name == "residual") residual = &tensor;
  ASSERT_NE(residual, nullptr);
  residual->set_code(300, residual->code(300) ^ 1);
  const Finding finding = compare(fused().bind(one)->expect(problem, &outputs), outputs, {});
  EXPECT_FALSE(finding.agrees());
  bool said = false;
  for (const Violation& violation : finding.violations)
    said |= violation.words.find("ranks 2 and 0 return different bits in 1 of 512 elements, first residual[1, 44]: ") == 0;
  EXPECT_TRUE(said);
}

TEST(FusedRanks, AFreeSumOrANormWithoutAResidualIsRefused) {
  ContractTables tables = rulebook().contracts;
  const auto refusal = [&](const std::string& row, const std::string& combine = "") -> std::string {
    const std::string file = testing::TempDir() + "rank_norm.csv";
    std::ofstream(file) << "id,reduce,then,since,until,source,why,combine\n" << row << ",2026,,here,because," << combine << "\n";
    try {
      tables.add(file);
    } catch (const TableError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(refusal("a,nccl.all_reduce_tree,vllm.fused_add_rms_norm@2026-06-18"),
              HasSubstr("reduce: 'nccl.all_reduce_tree' allows several orders of addition"));
  EXPECT_THAT(refusal("b,vllm.all_reduce_1stage,vllm.rms_norm@2026-06-18"), HasSubstr("is not a norm with a residual"));
  EXPECT_THAT(refusal("c,vllm.group_fp8,vllm.rms_norm@2026-06-18"), HasSubstr("is a group_quant row; expected rank_reduce"));
  const std::string whole = ",flashinfer.all_reduce_oneshot_native,flashinfer.trtllm_add_rms_norm";
  EXPECT_THAT(refusal("d" + whole, "vllm.ep_gather"), HasSubstr("combine: 'vllm.ep_gather' has more than one accepted result"));
  EXPECT_THAT(refusal("e" + whole, "vllm.group_fp8"), HasSubstr("is a group_quant row; expected combine"));
  EXPECT_EQ(refusal("f" + whole, "flashinfer.moe_finalize"), "");
}

}  // namespace
}  // namespace assay::fused_test

namespace assay::sharded_test {
namespace {

using testing::HasSubstr;

const Op& sharded() { return shipped_op("all_reduce_rms_norm"); }

const TestCells kUsual = {{"contract", "vllm.minimax_all_reduce_qk_rms_norm"},
                          {"ranks", "4"},
                          {"x", "bf16"},
                          {"m", "3"},
                          {"n", "1024"},
                          {"n_k", "256"},
                          {"eps", "1e-6"},
                          {"fill", "normal"},
                          {"gamma", "gamma"},
                          {"before", "1"},
                          {"seed", "1"},
                          {"warp", "32"}};

Case case_with(const TestCells& cells) { return case_of(sharded(), kUsual, cells); }

/// Outputs that all ranks compute with a small r, except rank `other_rank`, which uses a larger r. -1: all use the small r.
std::vector<HostTensor> outputs_by(const Problem& problem, const Expectation& expectation, int other_rank) {
  std::vector<HostTensor> outputs;
  for (const HostTensor& tensor : problem.tensors)
    for (const WholePart& whole : computed(expectation)) {
      if (tensor.spec.name != whole.part.tensor || tensor.spec.rank != whole.part.rank) continue;
      HostTensor y{tensor.spec, std::vector<std::byte>(tensor.spec.bytes())};
      for (int64_t i = 0; i < y.spec.elements(); ++i) {
        const Interval accepted = whole.at(i);
        const bool low = (accepted.low >= 0) != (whole.part.rank == other_rank);
        y.set_code(i, code_from_ordinal(*y.spec.format, low ? accepted.low : accepted.high));
      }
      outputs.push_back(std::move(y));
    }
  return outputs;
}

/// Computes in double: the sum of squares over all ranks, its root, and the rank's own columns.
TEST(ShardedNorm, FollowsFromTheSquaresOfAllRanks) {
  const Case one = case_with({});
  const Problem problem = sharded().bind(one)->problem();
  const auto tensor = [&](const std::string& name, int rank) -> const HostTensor& {
    for (const HostTensor& t : problem.tensors)
      if (t.spec.name == name && t.spec.rank == rank) return t;
    throw std::out_of_range(name);
  };
  for (const WholePart& whole : computed(sharded().bind(one)->expect(problem, nullptr))) {
    const bool second = whole.part.tensor == "y_k";
    const int64_t columns = second ? 64 : 256;
    ASSERT_EQ(whole.part.columns(), columns);
    for (int64_t row = 0; row < 3; ++row) {
      double sum = 0;
      for (int rank = 0; rank < 4; ++rank)
        for (int64_t i = 0; i < columns; ++i) {
          const HostTensor& x = tensor(second ? "k" : "x", rank);
          const double v = decode(kBf16, x.code(row * columns + i));
          sum += v * v;
        }
      const double r = 1 / std::sqrt(sum / double(4 * columns) + 1e-6);
      for (int64_t i = 0; i < columns; ++i) {
        const double x = decode(kBf16, tensor(second ? "k" : "x", whole.part.rank).code(row * columns + i));
        const double y = x * r * decode(kBf16, tensor(second ? "gamma_k" : "gamma", whole.part.rank).code(i));
        const Interval accepted = whole.at(row * columns + i);
        const double low = decode(kBf16, code_from_ordinal(kBf16, accepted.low)),
                     high = decode(kBf16, code_from_ordinal(kBf16, accepted.high));
        const double half_ulp = std::ldexp(std::fabs(y), -8) + 1e-30;
        EXPECT_LE(low, y + half_ulp);
        EXPECT_GE(high, y - half_ulp);
        EXPECT_LE(accepted.high - accepted.low, 1);
      }
    }
  }
}

TEST(ShardedNorm, RanksThatNormByFactorsOfTheirOwnAreSeen) {
  const Case one = case_with({{"x", "f32"}});
  const Problem problem = sharded().bind(one)->problem();
  std::vector<HostTensor> outputs = outputs_by(problem, sharded().bind(one)->expect(problem, nullptr), -1);
  EXPECT_TRUE(compare(sharded().bind(one)->expect(problem, &outputs), outputs, {}).agrees());
  outputs = outputs_by(problem, sharded().bind(one)->expect(problem, nullptr), 2);
  const Finding finding = compare(sharded().bind(one)->expect(problem, &outputs), outputs, {});
  EXPECT_FALSE(finding.agrees());
  ASSERT_FALSE(finding.violations.empty());
  EXPECT_THAT(finding.violations.front().words, HasSubstr("y of all ranks: row 0"));
}

TEST(ShardedNorm, WhatDoesNotFitIsRefused) {
  const auto refusal = [](std::map<std::string, std::string> cells) -> std::string {
    try {
      case_with(std::move(cells));
    } catch (const TableError& error) {
      return error.what();
    }
    return "";
  };
  (void)sharded();
  EXPECT_THAT(refusal({{"ranks", "6"}}), HasSubstr("does not support 6 ranks"));
  EXPECT_THAT(refusal({{"n", "1000"}}), HasSubstr("a multiple of 16 bytes in each rank's part of a row"));
  EXPECT_THAT(refusal({{"n_k", ""}}), HasSubstr("has a second matrix"));
  EXPECT_THAT(refusal({{"contract", "vllm.minimax_all_reduce_rms_norm"}}), HasSubstr("has one matrix"));
  EXPECT_THAT(refusal({{"contract", "vllm.all_reduce_1stage"}}), HasSubstr("is a rank_reduce contract"));
}

TEST(ShardedNorm, ItsNormIsOneOfXAlone) {
  (void)sharded();
  ContractTables tables = rulebook().contracts;
  const auto refusal_of = [&](const std::string& row) -> std::string {
    const std::string file = testing::TempDir() + "rank_squares.csv";
    std::ofstream(file) << "id,sharded,shards,numbers,depth,matrices,since,until,source,why\n" << row << ",2026,,here,because\n";
    try {
      tables.add(file);
    } catch (const TableError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(refusal_of("a,vllm.fused_add_rms_norm@2026-06-18,2,bf16,26,one"),
              HasSubstr("expected an RMS norm without residual"));
  EXPECT_THAT(refusal_of("b,vllm.rms_norm@2026-06-18,17,bf16,26,one"), HasSubstr("expected 2 to 16 ranks"));
  EXPECT_THAT(refusal_of("c,vllm.rms_norm@2026-06-18,2,bf16,n,one"), HasSubstr("expected a number"));
  EXPECT_THAT(refusal_of("d,vllm.rms_norm@2026-06-18,2,bf16,26,three"), HasSubstr("matrices"));
}

}  // namespace
}  // namespace assay::sharded_test
