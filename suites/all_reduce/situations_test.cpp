// Failure signatures of rank outputs: whose data wrong elements contain, on which ranks, and how a sum was formed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "reference/formats/catalogue.h"
#include "suites/all_reduce/expect.h"
#include "suites/all_reduce/rank_case.h"
#include "suites/testing/usual_ranks.h"

namespace assay::rank_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string situation_of(const Case& one, const Problem& problem, const std::vector<HostTensor>& outputs) {
  return all_reduce().bind(one)->situation(problem, outputs);
}

TEST(AllReduce, TheSituationOfWrongElementsIsSaid) {
  const Case one = case_with({{"contract", "vllm.all_reduce_2stage"}});
  const Problem problem = all_reduce().bind(one)->problem();
  const RankCase c = read_rank_case(one);
  const Expectation right = all_reduce().bind(one)->expect(problem, nullptr), before = expect_ranks(c, c.contract, problem.before[0]);
  const std::vector<HostTensor> healthy = outputs_by(problem, right), earlier = outputs_by(problem, before);
  EXPECT_EQ(situation_of(one, problem, healthy), "");
  std::vector<HostTensor> wrong = healthy;
  for (int64_t i = 0; i < 40; ++i) wrong[1].set_code(i, earlier[1].code(i));
  EXPECT_THAT(situation_of(one, problem, wrong), HasSubstr("results of the call before"));
  EXPECT_THAT(all_reduce().bind(one)->remarks(problem, wrong),
              ElementsAre(HasSubstr("on rank 1; none on rank 0, 2, 3"), HasSubstr("in that of rank 0")));
  wrong = healthy;
  for (int64_t i = 0; i < 40; ++i) wrong[2].set_code(i, problem.tensors[4].code(i));
  EXPECT_THAT(situation_of(one, problem, wrong), HasSubstr("the rank's own numbers"));
  std::vector<HostTensor> elsewhere = healthy;
  for (int64_t i = 0; i < 40; ++i) elsewhere[1].set_code(i, earlier[1].code(100 + i));
  EXPECT_THAT(situation_of(one, problem, elsewhere), HasSubstr("such as calls before had them, in other places"));
  wrong[3].set_code(7, code_of(kBf16, 1024));
  EXPECT_EQ(situation_of(one, problem, wrong), "");
  Problem mixed = problem;
  for (HostTensor& tensor : mixed.tensors)
    if (tensor.spec.rank == 2 && tensor.spec.name == "x") tensor.bytes = problem.before[0].tensors[4].bytes;
  EXPECT_THAT(situation_of(one, problem, outputs_by(problem, expect_ranks(c, c.contract, mixed))),
              HasSubstr("sums in which numbers of some ranks are those of the call before"));
}

TEST(AllReduce, ResultsThatWereReadAsNumbersAreSaid) {
  const Case one = case_with({{"contract", "sglang.all_reduce_v2_pull"}, {"use", "in_place"}, {"before", ""}});
  const Problem problem = all_reduce().bind(one)->problem();
  const RankCase c = read_rank_case(one);
  std::vector<HostTensor> outputs = outputs_by(problem, all_reduce().bind(one)->expect(problem, nullptr));
  EXPECT_EQ(situation_of(one, problem, outputs), "");
  Problem overwritten = problem;
  for (HostTensor& tensor : overwritten.tensors)
    if (tensor.spec.rank == 1 && tensor.spec.name == "x") tensor.bytes = outputs[1].bytes;
  outputs[3] = outputs_by(overwritten, expect_ranks(c, c.contract, overwritten))[3];
  EXPECT_THAT(situation_of(one, problem, outputs), HasSubstr("written in place while they were read"));
}

TEST(AllReduce, ATraceFollowsTheSum) {
  const Case one = case_with({{"contract", "vllm.all_reduce_2stage"}});
  const Problem problem = all_reduce().bind(one)->problem();
  const std::vector<std::string> lines = all_reduce().bind(one)->trace(problem, 1, 3);
  ASSERT_EQ(lines.size(), 7u);
  EXPECT_EQ(lines[1], "owner: rank 2");
  EXPECT_THAT(lines[2], StartsWith("rank 2: "));
  EXPECT_THAT(lines[5], StartsWith("rank 1: "));
  const int32_t y = computed(all_reduce().bind(one)->expect(problem, nullptr))[0].low[size_t(168 + 3)];
  char text[64];
  std::snprintf(text, sizeof text, "y = %.9g", decode(kBf16, code_from_ordinal(kBf16, y)));
  EXPECT_EQ(lines[6], text);
}

}  // namespace
}  // namespace assay::rank_test
