// Op all_reduce: rejected cases, the rule between ranks, elements that are not checked, and memory before shifted tensors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "harness/compare/compare.h"
#include "reference/formats/catalogue.h"
#include "suites/all_reduce/expect.h"
#include "suites/testing/usual_ranks.h"

namespace assay::rank_test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(AllReduce, WhatAContractHasNotIsRefusedWithItsColumn) {
  EXPECT_EQ(refusal({}), "");
  EXPECT_THAT(refusal({{"contract", "vllm.group_fp8"}}),
              HasSubstr("contract: 'vllm.group_fp8' is a group_quant row and this op adds up ranks"));
  EXPECT_THAT(refusal({{"ranks", "3"}}), HasSubstr("ranks: contract vllm.all_reduce_1stage does not support 3 ranks; supported: 2|4|6|8"));
  EXPECT_THAT(refusal({{"contract", "quickreduce.all_reduce_fp_bf16"}, {"x", "f32"}}), HasSubstr("x: contract quickreduce.all_reduce_fp_bf16 does not support 'f32'"));
  EXPECT_THAT(refusal({{"n", "170"}}), HasSubstr("n: vllm.all_reduce_1stage takes multiples of 16 bytes"));
  EXPECT_THAT(refusal({{"shift", "1"}}), HasSubstr("shift: vllm.all_reduce_1stage wants aligned tensors"));
  EXPECT_EQ(refusal({{"contract", "nccl.all_reduce_ring"}, {"n", "170"}, {"shift", "1"}}), "");
  EXPECT_EQ(refusal({{"m", "0"}}), "");
}

/// Each of two ranks is within its accepted intervals, but they differ.
TEST(AllReduce, AFreeOrderIsFreeForAllRanksTogether) {
  const Case one = case_with({{"contract", "nccl.all_reduce_tree"}});
  const Problem problem = all_reduce().bind(one)->problem();
  const Expectation expectation = all_reduce().bind(one)->expect(problem, nullptr);
  EXPECT_TRUE(compare(expectation, outputs_by(problem, expectation), {}).agrees());
  EXPECT_TRUE(compare(expectation, outputs_by(problem, expectation, {0, 1, 2, 3}), {}).agrees());
  const Finding parted = compare(expectation, outputs_by(problem, expectation, {2}), {});
  EXPECT_FALSE(parted.agrees());
  for (const TensorFinding& part : parted.parts) EXPECT_EQ(part.outside, 0) << part.name;
  ASSERT_EQ(parted.violations.size(), 1u);
  EXPECT_EQ(parted.violations[0].rule, "the same bits on all ranks");
  EXPECT_THAT(parted.violations[0].words,
              testing::AllOf(StartsWith("ranks 2 and 0 return different bits in "), HasSubstr("first y[0, 0]: 0x")));
  EXPECT_EQ(parted.violations[0].places.front().part, "y.rank 2");
}

/// Inf - Inf in one addition tree is NaN, in another not. The element is not checked, and a number is no failure.
TEST(AllReduce, WhatOnlySomeTreesOverflowIsNotJudged) {
  const Case one = case_with({{"contract", "nccl.all_reduce_tree"}, {"x", "f16"}, {"fill", "rank_overflow"}});
  const Problem problem = all_reduce().bind(one)->problem();
  const Expectation expectation = all_reduce().bind(one)->expect(problem, nullptr);
  const Expectation of_one_stage = expect_ranks(read_rank_case(one), read_rank_case(case_with({{"x", "f16"}})).contract, problem);
  const Finding finding = compare(expectation, outputs_by(problem, of_one_stage), {});
  EXPECT_TRUE(finding.agrees());
  EXPECT_GT(finding.parts[0].unjudged, 0);
}

TEST(AllReduce, ShiftedTensorsHaveNothingBeforeThem) {
  const Case one = case_with({{"contract", "nccl.all_reduce_symmetric"}, {"n", "77"}, {"shift", "3"}});
  const Problem problem = all_reduce().bind(one)->problem();
  const HostTensor& x = problem.tensors.front();
  EXPECT_EQ(x.spec.offset, 3);
  EXPECT_EQ(x.spec.storage, 2 * 77 + 3);
  EXPECT_TRUE(std::isnan(decode(kBf16, x.code(2))));
  const Expectation expectation = all_reduce().bind(one)->expect(problem, nullptr);
  std::vector<HostTensor> outputs = outputs_by(problem, expectation);
  const std::vector<std::vector<ByteRange>> untouched(4, {{0, 6}});
  EXPECT_TRUE(compare(expectation, outputs, untouched).agrees());
  EXPECT_FALSE(compare(expectation, outputs, {{{0, 4}}, {{0, 6}}, {{0, 6}}, {{0, 6}}}).agrees())
      << "an element before rank 0's was written";
}

TEST(AllReduce, GroupsOfPartsAreWhole) {
  const std::map<std::string, std::string> aiter = {{"contract", "aiter.all_reduce_fp8_g32_nosat.gfx950"}, {"x", "f16"}, {"m", "1"}};
  const auto with = [&](const char* n) {
    std::map<std::string, std::string> cells = aiter;
    cells["n"] = n;
    return refusal(std::move(cells));
  };
  EXPECT_EQ(with("384"), "");
  EXPECT_THAT(with("192"), HasSubstr("n: aiter.all_reduce_fp8_g32_nosat.gfx950 takes whole groups of 32 numbers on each of 4 ranks"));
}

}  // namespace
}  // namespace assay::rank_test
