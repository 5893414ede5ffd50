// Op all_reduce_rms_norm: the answer of all ranks together equals that of a norm on their concatenated columns.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "harness/compare/compare.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "suites/all_reduce_rms_norm/sharded_case.h"
#include "suites/rulebook.h"
#include "suites/testing/case_with.h"

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

/// Outputs with a small factor on all ranks except `other_rank`, which uses a larger one; -1: no exception.
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

/// By hand in double: the sum of squares of all ranks, its root, and the rank's own columns.
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
  EXPECT_THAT(refusal({{"n", "1000"}}), HasSubstr("whole packets of 16 bytes"));
  EXPECT_THAT(refusal({{"n_k", ""}}), HasSubstr("has a second matrix"));
  EXPECT_THAT(refusal({{"contract", "vllm.minimax_all_reduce_rms_norm"}}), HasSubstr("has one matrix"));
  EXPECT_THAT(refusal({{"contract", "vllm.all_reduce_1stage"}}), HasSubstr("is a rank_reduce row"));
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
              HasSubstr("is not a norm without residual that divides by the root mean square"));
  EXPECT_THAT(refusal_of("b,vllm.rms_norm@2026-06-18,17,bf16,26,one"), HasSubstr("are 2 to 16"));
  EXPECT_THAT(refusal_of("c,vllm.rms_norm@2026-06-18,2,bf16,n,one"), HasSubstr("expected a number"));
  EXPECT_THAT(refusal_of("d,vllm.rms_norm@2026-06-18,2,bf16,26,three"), HasSubstr("matrices"));
}

}  // namespace
}  // namespace assay::sharded_test
