// Op all_reduce: what is refused, what all ranks must have in common, and what is said of wrong outputs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "harness/compare/compare.h"
#include "reference/formats/catalogue.h"
#include "suites/all_reduce/expect.h"
#include "suites/all_reduce/words.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay::rank_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

const Op& all_reduce() {
  static const bool open = (open_rulebook(ASSAY_SOURCE_DIR), true);
  (void)open;
  return find_op("all_reduce");
}

Case case_with(std::map<std::string, std::string> cells) {
  Case one;
  one.op = all_reduce().name;
  one.parameters = {{"contract", "vllm.all_reduce_1stage"},
                    {"ranks", "4"},
                    {"x", "bf16"},
                    {"m", "2"},
                    {"n", "168"},
                    {"fill", "rank_cancel"},
                    {"shift", ""},
                    {"before", "1"},
                    {"use", ""},
                    {"seed", "1"},
                    {"warp", "32"}};
  for (auto& [column, cell] : cells) one.parameters[column] = cell;
  return all_reduce().validate(one);
}

/// What each rank returns by a contract: the least, or on the ranks named the greatest that it accepts.
std::vector<HostTensor> outputs_by(const Problem& problem, const Expectation& expectation, std::vector<int> greatest = {}) {
  std::vector<HostTensor> outputs;
  const std::vector<WholePart> parts = computed(expectation);
  for (const WholePart& whole : parts) {
    for (const HostTensor& tensor : problem.tensors)
      if (tensor.spec.name == "y" && tensor.spec.rank == whole.part.rank) outputs.push_back(tensor);
    HostTensor& y = outputs.back();
    y.bytes.resize(y.spec.bytes());
    const bool most = std::find(greatest.begin(), greatest.end(), whole.part.rank) != greatest.end();
    for (int64_t i = 0; i < whole.part.elements(); ++i)
      y.set_code(whole.offset_at(i), code_from_ordinal(*whole.part.format, most ? whole.at(i).high : whole.at(i).low));
  }
  return outputs;
}

std::string refusal(std::map<std::string, std::string> cells) {
  try {
    (void)case_with(std::move(cells));
  } catch (const TableError& error) {
    return error.what();
  }
  return "";
}

TEST(AllReduce, WhatAContractHasNotIsRefusedWithItsColumn) {
  EXPECT_EQ(refusal({}), "");
  EXPECT_THAT(refusal({{"contract", "vllm.group_fp8"}}),
              HasSubstr("contract: 'vllm.group_fp8' is a group_quant row and this op adds up ranks"));
  EXPECT_THAT(refusal({{"ranks", "3"}}), HasSubstr("ranks: '3' is no number of ranks of vllm.all_reduce_1stage: 2|4|6|8"));
  EXPECT_THAT(refusal({{"contract", "quickreduce.all_reduce_fp"}, {"x", "f32"}}), HasSubstr("x: 'f32' are no numbers of"));
  EXPECT_THAT(refusal({{"n", "170"}}), HasSubstr("n: vllm.all_reduce_1stage takes multiples of 16 bytes"));
  EXPECT_THAT(refusal({{"shift", "1"}}), HasSubstr("shift: vllm.all_reduce_1stage wants aligned tensors"));
  EXPECT_EQ(refusal({{"contract", "nccl.all_reduce_ring"}, {"n", "170"}, {"shift", "1"}}), "");
  EXPECT_EQ(refusal({{"m", "0"}}), "");
}

/// Each of two ranks has what its contract allows, and yet not the same.
TEST(AllReduce, AFreeOrderIsFreeForAllRanksTogether) {
  const Case one = case_with({{"contract", "nccl.all_reduce_tree"}});
  const Problem problem = all_reduce().problem(one);
  const Expectation expectation = all_reduce().expect(one, problem, nullptr);
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

/// Inf - Inf of one tree is NaN and of another is not: nothing can be said, and a number is no failure.
TEST(AllReduce, WhatOnlySomeTreesOverflowIsNotJudged) {
  const Case one = case_with({{"contract", "nccl.all_reduce_tree"}, {"x", "f16"}, {"fill", "rank_overflow"}});
  const Problem problem = all_reduce().problem(one);
  const Expectation expectation = all_reduce().expect(one, problem, nullptr);
  const Expectation of_one_stage = expect_ranks(read_rank_case(one), read_rank_case(case_with({{"x", "f16"}})).contract, problem);
  const Finding finding = compare(expectation, outputs_by(problem, of_one_stage), {});
  EXPECT_TRUE(finding.agrees());
  EXPECT_GT(finding.parts[0].unjudged, 0);
}

TEST(AllReduce, ShiftedTensorsHaveNothingBeforeThem) {
  const Case one = case_with({{"contract", "nccl.all_reduce_symmetric"}, {"n", "77"}, {"shift", "3"}});
  const Problem problem = all_reduce().problem(one);
  const HostTensor& x = problem.tensors.front();
  EXPECT_EQ(x.spec.offset, 3);
  EXPECT_EQ(x.spec.storage, 2 * 77 + 3);
  EXPECT_TRUE(std::isnan(decode(kBf16, x.code(2))));
  const Expectation expectation = all_reduce().expect(one, problem, nullptr);
  std::vector<HostTensor> outputs = outputs_by(problem, expectation);
  const std::vector<std::vector<ByteRange>> untouched(4, {{0, 6}});
  EXPECT_TRUE(compare(expectation, outputs, untouched).agrees());
  EXPECT_FALSE(compare(expectation, outputs, {{{0, 4}}, {{0, 6}}, {{0, 6}}, {{0, 6}}}).agrees())
      << "an element before rank 0's was written";
}

TEST(AllReduce, TheCallBeforeHasOtherNumbers) {
  const Problem problem = all_reduce().problem(case_with({{"before", "3"}}));
  ASSERT_EQ(problem.before.size(), 3u);
  EXPECT_NE(problem.before[0].tensors[0].bytes, problem.tensors[0].bytes);
  EXPECT_EQ(problem.before[0].tensors[0].bytes, problem.before[2].tensors[0].bytes);
  EXPECT_EQ(all_reduce().problem(case_with({{"before", ""}})).before.size(), 0u);
}

TEST(AllReduce, GroupsOfPartsAreWhole) {
  const std::map<std::string, std::string> aiter = {{"contract", "aiter.all_reduce_fp8_g32.gfx950"}, {"x", "f16"}, {"m", "1"}};
  const auto with = [&](const char* n) {
    std::map<std::string, std::string> cells = aiter;
    cells["n"] = n;
    return refusal(std::move(cells));
  };
  EXPECT_EQ(with("384"), "");
  EXPECT_THAT(with("192"), HasSubstr("n: aiter.all_reduce_fp8_g32.gfx950 takes whole groups of 32 numbers on each of 4 ranks"));
}

TEST(AllReduce, AStragglerIsNamedToTheLibrary) {
  const auto parameters = [](const char* use) { return all_reduce().problem(case_with({{"use", use}})).parameters; };
  EXPECT_THAT(parameters("straggler"), testing::Contains(std::pair<std::string, double>("straggler", 2)));
  EXPECT_THAT(parameters(""), testing::Not(testing::Contains(testing::Key("straggler"))));
}

TEST(AllReduce, SizesAlternateAndTheLastCallIsTheLonger) {
  const Case one = case_with({{"before", "3"}, {"use", "alternating"}});
  const Problem problem = all_reduce().problem(one);
  ASSERT_EQ(problem.before.size(), 3u);
  const auto rows = [](const Problem& p) { return p.tensors[0].spec.shape[0]; };
  EXPECT_THAT((std::vector<int64_t>{rows(problem.before[0]), rows(problem.before[1]), rows(problem.before[2]), rows(problem)}),
              ElementsAre(4, 2, 4, 2));
  EXPECT_EQ(rank_inputs(read_rank_case(one), problem).before[0].size(), size_t(problem.tensors[0].spec.elements()));
  EXPECT_THAT(refusal({{"before", "1"}, {"use", "alternating"}}), HasSubstr("two calls before it, or more"));
}

TEST(AllReduce, CountsThatWrapAreAParameterOfAllCalls) {
  const Problem problem = all_reduce().problem(case_with({{"use", "wrapping"}}));
  for (const Problem* p : {&problem, &problem.before[0]}) {
    ASSERT_EQ(p->parameters.back().first, "counter");
    EXPECT_EQ(p->parameters.back().second + 4, 0x1p32);
  }
  EXPECT_THAT(refusal({{"before", ""}, {"use", "wrapping"}}), HasSubstr("calls before them"));
  EXPECT_THAT(refusal({{"use", "wraping"}}), HasSubstr("'wraping' is not one of: alternating, wrapping, in_place"));
}

TEST(AllReduce, InPlaceIsOneMemoryOfEachRank) {
  const Problem problem = all_reduce().problem(case_with({{"use", "in_place"}, {"before", ""}}));
  for (size_t i = 0; i < problem.tensors.size(); i += 2) {
    EXPECT_EQ(problem.tensors[i + 1].spec.shares, "x");
    EXPECT_EQ(problem.tensors[i + 1].bytes, problem.tensors[i].bytes);
  }
  EXPECT_EQ(all_reduce().problem(case_with({})).tensors[1].spec.shares, "");
}

std::string situation_of(const Case& one, const Problem& problem, const std::vector<HostTensor>& outputs) {
  return all_reduce().situation(one, problem, outputs);
}

TEST(AllReduce, TheSituationOfWrongElementsIsSaid) {
  const Case one = case_with({{"contract", "vllm.all_reduce_2stage"}});
  const Problem problem = all_reduce().problem(one);
  const RankCase c = read_rank_case(one);
  const Expectation right = all_reduce().expect(one, problem, nullptr), before = expect_ranks(c, c.contract, problem.before[0]);
  const std::vector<HostTensor> healthy = outputs_by(problem, right), earlier = outputs_by(problem, before);
  EXPECT_EQ(situation_of(one, problem, healthy), "");
  std::vector<HostTensor> wrong = healthy;
  for (int64_t i = 0; i < 40; ++i) wrong[1].set_code(i, earlier[1].code(i));
  EXPECT_THAT(situation_of(one, problem, wrong), HasSubstr("results of the call before"));
  EXPECT_THAT(all_reduce().remarks(one, problem, wrong), ElementsAre(HasSubstr("on rank 1; none on rank 0, 2, 3"), HasSubstr("in that of rank 0")));
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
  const Problem problem = all_reduce().problem(one);
  const RankCase c = read_rank_case(one);
  std::vector<HostTensor> outputs = outputs_by(problem, all_reduce().expect(one, problem, nullptr));
  EXPECT_EQ(situation_of(one, problem, outputs), "");
  Problem overwritten = problem;
  for (HostTensor& tensor : overwritten.tensors)
    if (tensor.spec.rank == 1 && tensor.spec.name == "x") tensor.bytes = outputs[1].bytes;
  outputs[3] = outputs_by(overwritten, expect_ranks(c, c.contract, overwritten))[3];
  EXPECT_THAT(situation_of(one, problem, outputs), HasSubstr("written in place while they were read"));
}

TEST(AllReduce, ATraceFollowsTheSum) {
  const Case one = case_with({{"contract", "vllm.all_reduce_2stage"}});
  const Problem problem = all_reduce().problem(one);
  const std::vector<std::string> lines = all_reduce().trace(one, problem, 1, 3);
  ASSERT_EQ(lines.size(), 7u);
  EXPECT_EQ(lines[1], "owner: rank 2");
  EXPECT_THAT(lines[2], StartsWith("rank 2: "));
  EXPECT_THAT(lines[5], StartsWith("rank 1: "));
  const int32_t y = computed(all_reduce().expect(one, problem, nullptr))[0].low[size_t(168 + 3)];
  char text[64];
  std::snprintf(text, sizeof text, "y = %.9g", decode(kBf16, code_from_ordinal(kBf16, y)));
  EXPECT_EQ(lines[6], text);
}

}  // namespace
}  // namespace assay::rank_test
