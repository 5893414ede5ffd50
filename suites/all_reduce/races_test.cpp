// Rank protocols under a hundred schedules: correct ones always agree, a missing or relaxed barrier almost always shows, and
// equal schedules give equal outcomes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>

#include "harness/backend/library.h"
#include "harness/backend/worker.h"
#include "harness/core/cases.h"
#include "harness/run/run_case.h"
#include "suites/registry.h"
#include "suites/testing/case_with.h"

namespace assay::races_test {
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

/// golden/records/rank_races.md has the counts
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
