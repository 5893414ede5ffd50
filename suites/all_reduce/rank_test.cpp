// Op all_reduce: rejected cases, equal bits on all ranks, elements that are not checked, and memory before shifted tensors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "harness/backend/library.h"
#include "harness/backend/worker.h"
#include "harness/compare/compare.h"
#include "harness/core/cases.h"
#include "harness/core/expectation.h"
#include "harness/run/run_case.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/format.h"
#include "reference/table/table.h"
#include "suites/all_reduce/rank_case.h"
#include "suites/registry.h"
#include "suites/testing/case_with.h"

namespace assay::rank_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const Op& all_reduce() { return shipped_op("all_reduce"); }

const TestCells kUsual = {{"contract", "vllm.all_reduce_1stage"},
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

Case case_with(const TestCells& cells) { return case_of(all_reduce(), kUsual, cells); }

/// Outputs with the lowest accepted codes; ranks in `greatest` have the highest accepted codes.
std::vector<HostTensor> outputs_by(const Problem& problem, const Expectation& expectation,
                                          std::vector<int> greatest = {}) {
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
              HasSubstr("contract: 'vllm.group_fp8' is a group_quant contract; expected an all-reduce"));
  EXPECT_THAT(refusal({{"ranks", "3"}}),
              HasSubstr("ranks: contract vllm.all_reduce_1stage does not support 3 ranks; supported: 2|4|6|8"));
  EXPECT_THAT(refusal({{"contract", "quickreduce.all_reduce_fp_bf16"}, {"x", "f32"}}),
              HasSubstr("x: contract quickreduce.all_reduce_fp_bf16 does not support 'f32'"));
  EXPECT_THAT(refusal({{"n", "170"}}), HasSubstr("n: expected m * n elements that occupy a multiple of 16 bytes, which vllm.all_reduce_1stage requires"));
  EXPECT_THAT(refusal({{"shift", "1"}}), HasSubstr("shift: expected 0: vllm.all_reduce_1stage requires tensors aligned to 16 bytes"));
  EXPECT_EQ(refusal({{"contract", "nccl.all_reduce_ring"}, {"n", "170"}, {"shift", "1"}}), "");
  EXPECT_EQ(refusal({{"m", "0"}}), "");
}

/// Each of two ranks is within its accepted intervals, but their bits differ, which is a failure.
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

/// Contracts with order one_tree accept any order, but not another order for another number of rows.
TEST(AllReduce, OneTreeIsTheSameForEveryNumberOfRows) {
  const Case one = case_with({{"contract", "vllm.all_reduce_batch_invariant"}, {"m", "3"}, {"before", ""}});
  const std::unique_ptr<const BoundCase> bound = all_reduce().bind(one);
  const Problem problem = bound->problem();
  const KernelOffer kernel{.name = "tree", .op = "all_reduce", .contracts = {"vllm.all_reduce_batch_invariant"}};
  const CallRequest request{"all_reduce", "vllm.all_reduce_batch_invariant", "tree", &problem, 1};
  const auto broken_of = [&](const std::string& contract, bool by_rows) {
    const Case other = with_cells(one, {{"contract", contract}});
    Backend backend;
    backend.call = [&, by_rows](const CallRequest& made) {
      const auto m = made.problem->tensors.front().spec.shape.front();
      const std::unique_ptr<const BoundCase> of_rows = all_reduce().bind(with_cells(one, {{"m", std::to_string(m)}}));
      CallResult result;
      result.outputs = outputs_by(*made.problem, of_rows->expect(*made.problem, nullptr),
                                  by_rows && m > 3 ? std::vector<int>{0, 1, 2, 3} : std::vector<int>{});
      result.untouched.resize(result.outputs.size()), result.in_place.resize(result.outputs.size());
      return result;
    };
    return climb(*all_reduce().bind(other), other, kernel, backend, request, backend.call(request)).broken;
  };
  EXPECT_EQ(broken_of("vllm.all_reduce_batch_invariant", false), "");
  EXPECT_EQ(broken_of("vllm.all_reduce_batch_invariant", true), "order");
  EXPECT_EQ(broken_of("nccl.all_reduce_tree", true), "");
}

/// Some orders of addition give Inf - Inf = NaN, others a number. Such an element is not checked, so either result passes.
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
  const std::map<std::string, std::string> aiter = {
      {"contract", "aiter.all_reduce_fp8_g32_nosat.gfx950"}, {"x", "f16"}, {"m", "1"}};
  const auto with = [&](const char* n) {
    std::map<std::string, std::string> cells = aiter;
    cells["n"] = n;
    return refusal(std::move(cells));
  };
  EXPECT_EQ(with("384"), "");
  EXPECT_THAT(with("192"),
              HasSubstr("n: expected m * n to be a multiple of 128: aiter.all_reduce_fp8_g32_nosat.gfx950 encodes whole groups of 32 elements"));
}

}  // namespace

// How calls use a group: warm-up calls with other data or sizes, wrapping counters, a late rank, outputs in place.

namespace {

TEST(AllReduce, TheCallBeforeHasOtherNumbers) {
  const Problem problem = all_reduce().bind(case_with({{"before", "3"}}))->problem();
  ASSERT_EQ(problem.before.size(), 3u);
  EXPECT_NE(problem.before[0].tensors[0].bytes, problem.tensors[0].bytes);
  EXPECT_EQ(problem.before[0].tensors[0].bytes, problem.before[2].tensors[0].bytes);
  EXPECT_EQ(all_reduce().bind(case_with({{"before", ""}}))->problem().before.size(), 0u);
}

TEST(AllReduce, AStragglerIsNamedToTheLibrary) {
  const auto parameters = [](const char* use) { return all_reduce().bind(case_with({{"use", use}}))->problem().parameters; };
  EXPECT_THAT(parameters("straggler"), testing::Contains(std::pair<std::string, double>("straggler", 2)));
  EXPECT_THAT(parameters(""), testing::Not(testing::Contains(testing::Key("straggler"))));
}

TEST(AllReduce, SizesAlternateAndTheLastCallIsTheLonger) {
  const Case one = case_with({{"before", "3"}, {"use", "alternating"}});
  const Problem problem = all_reduce().bind(one)->problem();
  ASSERT_EQ(problem.before.size(), 3u);
  const auto rows = [](const Problem& p) { return p.tensors[0].spec.shape[0]; };
  EXPECT_THAT((std::vector<int64_t>{rows(problem.before[0]), rows(problem.before[1]), rows(problem.before[2]), rows(problem)}),
              ElementsAre(4, 2, 4, 2));
  EXPECT_EQ(rank_inputs(read_rank_case(one), problem).before[0].size(), size_t(problem.tensors[0].spec.elements()));
  EXPECT_THAT(refusal({{"before", "1"}, {"use", "alternating"}}), HasSubstr("needs at least 2 earlier calls"));
}

TEST(AllReduce, CountsThatWrapAreAParameterOfAllCalls) {
  const Problem problem = all_reduce().bind(case_with({{"use", "wrapping"}}))->problem();
  for (const Problem* p : {&problem, &problem.before[0]}) {
    ASSERT_EQ(p->parameters.back().first, "counter");
    EXPECT_EQ(p->parameters.back().second + 4, 0x1p32);
  }
  EXPECT_THAT(refusal({{"before", ""}, {"use", "wrapping"}}), HasSubstr("needs at least 1 earlier call"));
  EXPECT_THAT(refusal({{"use", "wraping"}}), HasSubstr("'wraping' is not one of: alternating, wrapping, in_place"));
}

TEST(AllReduce, InPlaceIsOneMemoryOfEachRank) {
  const Problem problem = all_reduce().bind(case_with({{"use", "in_place"}, {"before", ""}}))->problem();
  for (size_t i = 0; i < problem.tensors.size(); i += 2) {
    EXPECT_EQ(problem.tensors[i + 1].spec.shares, "x");
    EXPECT_EQ(problem.tensors[i + 1].bytes, problem.tensors[i].bytes);
  }
  EXPECT_EQ(all_reduce().bind(case_with({}))->problem().tensors[1].spec.shares, "");
}

}  // namespace

// Causes recognized from wrong outputs: whose data they contain, on which ranks they lie, and how a sum was formed.

namespace {

std::string situation_of(const Case& one, const Problem& problem, const std::vector<HostTensor>& outputs) {
  return all_reduce().bind(one)->situation(problem, outputs);
}

TEST(AllReduce, TheSituationOfWrongElementsIsSaid) {
  const Case one = case_with({{"contract", "vllm.all_reduce_2stage"}});
  const Problem problem = all_reduce().bind(one)->problem();
  const RankCase c = read_rank_case(one);
  const Expectation right = all_reduce().bind(one)->expect(problem, nullptr),
                    before = expect_ranks(c, c.contract, problem.before[0]);
  const std::vector<HostTensor> healthy = outputs_by(problem, right), earlier = outputs_by(problem, before);
  EXPECT_EQ(situation_of(one, problem, healthy), "");
  std::vector<HostTensor> wrong = healthy;
  for (int64_t i = 0; i < 40; ++i) wrong[1].set_code(i, earlier[1].code(i));
  EXPECT_THAT(situation_of(one, problem, wrong), HasSubstr("results of the previous call"));
  EXPECT_THAT(all_reduce().bind(one)->remarks(problem, wrong),
              ElementsAre(HasSubstr("on rank 1; none on rank 0, 2, 3"), HasSubstr("in the part of rank 0")));
  wrong = healthy;
  for (int64_t i = 0; i < 40; ++i) wrong[2].set_code(i, problem.tensors[4].code(i));
  EXPECT_THAT(situation_of(one, problem, wrong), HasSubstr("the rank's own elements of x"));
  std::vector<HostTensor> elsewhere = healthy;
  for (int64_t i = 0; i < 40; ++i) elsewhere[1].set_code(i, earlier[1].code(100 + i));
  EXPECT_THAT(situation_of(one, problem, elsewhere), HasSubstr("sums of inputs of earlier calls, in other positions"));
  for (int64_t i = 0; i < 40; ++i) elsewhere[1].set_code(i, 0);
  EXPECT_EQ(situation_of(one, problem, elsewhere), "") << "0 has many reasons";
  for (int64_t i = 0; i < 40; ++i) elsewhere[1].set_code(i, code_of(kBf16, 3));
  EXPECT_EQ(situation_of(one, problem, elsewhere), "") << "one number can come from anywhere";
  wrong[3].set_code(7, code_of(kBf16, 1024));
  EXPECT_EQ(situation_of(one, problem, wrong), "");
  Problem mixed = problem;
  for (HostTensor& tensor : mixed.tensors)
    if (tensor.spec.rank == 2 && tensor.spec.name == "x") tensor.bytes = problem.before[0].tensors[4].bytes;
  EXPECT_THAT(situation_of(one, problem, outputs_by(problem, expect_ranks(c, c.contract, mixed))),
              HasSubstr("sums that use inputs of the call before for some ranks"));
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
  EXPECT_THAT(situation_of(one, problem, outputs), HasSubstr("wrote y in place while their peers read x"));
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

namespace assay::races_test {

// Synchronization between ranks under a hundred schedules of threads. Correct kernels always agree, a missing or relaxed barrier
// almost always fails, and the same schedule gives the same outcome.

namespace {

Case case_of(const std::string& contract, const std::string& ranks, const std::string& before, const std::string& use = "") {
  const Op& op = shipped_op("all_reduce");
  Case one;
  one.op = op.name;
  one.parameters = {{"contract", contract}, {"ranks", ranks},        {"x", "bf16"}, {"m", "1"},
                    {"n", "520"},           {"fill", "rank_cancel"}, {"shift", ""}, {"before", before},
                    {"use", use},           {"seed", "1"},           {"warp", "32"}};
  return checked_case(op, one);
}

Case case_of_squares(const std::string& ranks) {
  (void)case_of("vllm.all_reduce_1stage", "2", "");
  Case one;
  one.op = "all_reduce_rms_norm";
  one.parameters = {{"contract", "vllm.minimax_all_reduce_rms_norm"},
                    {"ranks", ranks},
                    {"x", "bf16"},
                    {"m", "4"},
                    {"n", "1024"},
                    {"n_k", ""},
                    {"eps", "1e-6"},
                    {"fill", "normal"},
                    {"gamma", "gamma"},
                    {"before", "3"},
                    {"seed", "1"},
                    {"warp", "32"}};
  return checked_case(shipped_ops().find(one.op), one);
}

Verdict verdict_of(const Backend& backend, const Case& one, const std::string& kernel, uint64_t seed) {
  CaseOptions options;
  options.schedule_seed = seed;
  KernelOffer offer;
  offer.name = kernel;
  return run_case(shipped_ops().find(one.op), one, offer, backend, options);
}

TEST(RankRaces, WhatIsRightAgreesUnderEverySchedule) {
  const Backend cpu = open_in_process(ASSAY_CPU_LIBRARY, "cpu");
  const std::pair<const char*, const char*> kernels[] = {{"vllm.all_reduce_1stage", "all_reduce.one_shot"},
                                                         {"vllm.all_reduce_1stage", "all_reduce.registered"},
                                                         {"vllm.all_reduce_2stage", "all_reduce.two_shot"},
                                                         {"flashinfer.all_reduce_oneshot", "all_reduce.lamport"},
                                                         {"assay.all_reduce_ring", "all_reduce.ring"}};
  for (const auto& [contract, kernel] : kernels)
    for (const char* ranks : {"4", "8"})
      for (uint64_t seed = 1; seed <= 50; ++seed) {
        const Verdict verdict = verdict_of(cpu, case_of(contract, ranks, "3"), kernel, seed);
        ASSERT_EQ(verdict.outcome, Outcome::kPass) << kernel << " " << ranks << " seed " << seed << ": " << verdict.message;
      }
}

TEST(RankRaces, WhatIsRightAgreesHoweverAGroupIsUsed) {
  const Backend cpu = open_in_process(ASSAY_CPU_LIBRARY, "cpu");
  const std::pair<const char*, const char*> kernels[] = {{"vllm.all_reduce_1stage", "all_reduce.registered"},
                                                         {"vllm.all_reduce_2stage", "all_reduce.two_shot"},
                                                         {"sglang.all_reduce_v2_push", "all_reduce.lamport"},
                                                         {"flashinfer.all_reduce_oneshot", "all_reduce.lamport"},
                                                         {"nccl.all_reduce_ring", "all_reduce.ring"}};
  for (const auto& [contract, kernel] : kernels)
    for (const char* use : {"alternating", "wrapping", "in_place", "straggler", "in_a_row"})
      for (const char* before : {"2", "3", "4", "5"})
        for (uint64_t seed = 1; seed <= 10; ++seed) {
          const Verdict verdict = verdict_of(cpu, case_of(contract, "4", before, use), kernel, seed);
          ASSERT_EQ(verdict.outcome, Outcome::kPass)
              << kernel << " " << use << " " << before << " seed " << seed << ": " << verdict.message;
        }
}

/// In how many schedules each fault fails: golden/records/rank_races.md.
TEST(RankRaces, AMissingOrRelaxedBarrierShowsInNearlyEverySchedule) {
  const Backend faulty = open_in_process(ASSAY_FAULTY_LIBRARY, "faulty");
  const Case two_shot = case_of("vllm.all_reduce_2stage", "4", "1");
  const std::pair<Case, const char*> races[] = {
      {case_of("vllm.all_reduce_2stage", "4", "1", "wrapping"), "rank_waits_while_less"},
      {case_of("flashinfer.all_reduce_oneshot", "4", "4", "wrapping"), "rank_buffer_by_count"},
      {case_of("sglang.all_reduce_v2_push", "4", "5", "alternating"), "rank_room_by_size"},
      {case_of("sglang.all_reduce_v2_pull", "4", "", "in_place"), "rank_in_place"},
      {case_of("vllm.all_reduce_2stage", "4", "1", "straggler"), "rank_gives_up"},
      {two_shot, "rank_flag_wiped"},
      {two_shot, "rank_barrier_relaxed"},
      {two_shot, "rank_barrier_missing"},
      {two_shot, "rank_flag_frozen"},
      {case_of("vllm.all_reduce_1stage", "4", "1", "in_a_row"), "rank_end_missing"},
      {case_of("sglang.all_reduce_v2_push", "4", "3"), "rank_buffer_stale"},
      {case_of_squares("4"), "squares_buffer_stale"}};
  for (const auto& [one, kernel] : races) {
    int seen = 0;
    for (uint64_t seed = 1; seed <= 100; ++seed) {
      const Verdict verdict = verdict_of(faulty, one, kernel, seed);
      seen += verdict.outcome == Outcome::kFail || verdict.outcome == Outcome::kBroken;
    }
    std::printf("%s: %d of 100 schedules\n", kernel, seen);
    EXPECT_GE(seen, 99) << kernel;
  }
}

TEST(RankRaces, AFaultOfAUseShowsInNoOtherUse) {
  const Backend faulty = open_in_process(ASSAY_FAULTY_LIBRARY, "faulty");
  const std::array<const char*, 3> faults[] = {{"vllm.all_reduce_2stage", "rank_waits_while_less", "wrapping"},
                                               {"vllm.all_reduce_2stage", "rank_gives_up", "straggler"},
                                               {"vllm.all_reduce_1stage", "rank_end_missing", "in_a_row"},
                                               {"flashinfer.all_reduce_oneshot", "rank_buffer_by_count", "wrapping"},
                                               {"sglang.all_reduce_v2_push", "rank_room_by_size", "alternating"},
                                               {"sglang.all_reduce_v2_pull", "rank_in_place", "in_place"}};
  for (const auto& [contract, kernel, shown] : faults)
    for (const std::string use : {"", "alternating", "wrapping", "in_place", "straggler", "in_a_row"})
      for (uint64_t seed = 1; seed <= 10 && use != shown; ++seed)
        EXPECT_EQ(verdict_of(faulty, case_of(contract, "4", "4", use), kernel, seed).outcome, Outcome::kPass)
            << kernel << " " << use;
}

TEST(RankRaces, AScheduleHasOneOutcome) {
  const Backend faulty = open_in_process(ASSAY_FAULTY_LIBRARY, "faulty");
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const Case one = case_of("vllm.all_reduce_2stage", "8", "1");
    const Verdict first = verdict_of(faulty, one, "rank_flag_frozen", seed),
                  again = verdict_of(faulty, one, "rank_flag_frozen", seed);
    EXPECT_EQ(first.outcome, again.outcome) << seed;
    EXPECT_EQ(first.message, again.message) << seed;
    ASSERT_EQ(first.tensors.size(), again.tensors.size());
    for (size_t i = 0; i < first.tensors.size(); ++i) EXPECT_EQ(first.tensors[i].outside, again.tensors[i].outside) << seed;
  }
}

TEST(RankRaces, AHangNamesTheRankThatIsMissed) {
  const Backend faulty = open_in_process(ASSAY_FAULTY_LIBRARY, "faulty");
  Case one = case_of("flashinfer.all_reduce_oneshot", "4", "1");
  one.parameters["fill"] = "rank_specials";
  one = checked_case(shipped_ops().find("all_reduce"), one);
  const Verdict verdict = verdict_of(faulty, one, "rank_sentinel_sent", 1);
  EXPECT_EQ(verdict.outcome, Outcome::kBroken);
  EXPECT_THAT(verdict.message,
              testing::MatchesRegex("rank [0-3]: hung: block [0-9]+ waited in vain for rank [0-3] for a packet.*"));
  EXPECT_EQ(verdict_of(faulty, case_of("flashinfer.all_reduce_oneshot", "4", "1"), "rank_sentinel_sent", 1).outcome,
            Outcome::kPass)
      << "a dead case is not the end of the next";
}

}  // namespace

}  // namespace assay::races_test
