// Tests runs of many cases and kernels: matching, order, serialized calls, exit codes, and early ends.
#include "harness/run/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "harness/testing/toy_op.h"
#include "reference/table/parallel_loop.h"
#include "reference/table/table.h"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Op kToy = testing::toy_op();

std::vector<Case> toy_cases(int count) {
  std::vector<Case> many;
  for (int i = 1; i <= count; ++i) many.push_back(testing::toy_case("bf16", std::to_string(i) + "x8"));
  return many;
}

RunResult run_kernels(const std::vector<Case>& which, const std::string& glob, RunOptions options = {}) {
  options.kernel_glob = glob;
  return run_all({&kToy, 1}, which, testing::toy_backend(), options);
}

TEST(Match, ReasonsNameTheParameter) {
  const Case one = testing::toy_case();
  KernelOffer offer{.name = "k",
                    .op = "toy",
                    .contracts = {"toy.copy"},
                    .accepts = {{"n", {"8", "16"}}, {"absent", {"1"}}},
                    .multiple_of = {{"n", 4}}};
  EXPECT_EQ(why_not_offered(offer, one), "");
  offer.multiple_of = {{"n", 16}};
  EXPECT_EQ(why_not_offered(offer, one), "n 8 is not offered; it must be a multiple of 16");
  offer.accepts = {{"warp", {"64"}}};
  EXPECT_EQ(why_not_offered(offer, one), "warp 32 is not offered; offered: 64");
  offer.accepts = {{"warp", {"3.2e1"}}};
  offer.multiple_of = {};
  EXPECT_EQ(why_not_offered(offer, one), "") << "another notation of the same number";
  offer.contracts = {"toy.other"};
  EXPECT_EQ(why_not_offered(offer, one), "no kernel for contract toy.copy");
  offer.op = "play";
  EXPECT_EQ(why_not_offered(offer, one), "no kernel for op toy");
}

TEST(RunAll, EveryPairHasAVerdictInOrder) {
  RunOptions options;
  std::vector<std::string> seen;
  options.threads = 4;
  options.on_verdict = [&](const Verdict& verdict) { seen.push_back(verdict.case_id + " " + verdict.kernel); };
  const RunResult result = run_kernels(toy_cases(40), "o*", options);  // overruns, off_by_one
  ASSERT_EQ(result.verdicts.size(), 80u);
  EXPECT_EQ(result.verdicts[2].case_id, "toy/bf16.m2.n8.ramp.s1/w32");
  for (size_t i = 0; i < 80; ++i) EXPECT_EQ(seen.at(i), result.verdicts[i].case_id + " " + result.verdicts[i].kernel);
  EXPECT_EQ(result.count(Outcome::kBroken), 40);
  EXPECT_EQ(result.count(Outcome::kFail), 40);
  EXPECT_EQ(result.exit_code(), kUnexpected);
}

/// A sweep that makes one call with the on-device checker and one plain call.
struct WatchingCase : testing::ToyCase {
  using ToyCase::ToyCase;
  bool is_sweep() const override { return true; }
  void judge_sweep(const SweepCalls& calls, Verdict& verdict) const override {
    const Problem made = problem();
    const bool told = calls.wrong(made, 0, {}).size() == 1 && calls.outputs(made) != nullptr;
    verdict.tensors.resize(1);
    verdict.tensors[0].outside = told ? 0 : 1;
  }
};

TEST(RunAll, CallsAreMadeOneAtATime) {
  std::atomic<int> inside = 0, most = 0;
  Backend backend = testing::toy_backend();
  backend.call = [&, inner = backend.call](const CallRequest& request) {
    most = std::max(most.load(), ++inside);
    const CallResult result = inner(request);
    --inside;
    return result;
  };
  backend.watched_call = [&](const CallRequest&, uint32_t, const std::vector<CodeStep>&) {
    most = std::max(most.load(), ++inside);
    std::this_thread::sleep_for(std::chrono::microseconds(100));
    --inside;
    return WatchedResult{{}, {0}};
  };
  RunOptions options;
  options.threads = 4;
  options.kernel_glob = "copy";
  EXPECT_EQ(run_all({&kToy, 1}, toy_cases(50), backend, options).exit_code(), kAllAsExpected);
  EXPECT_EQ(most, 1);

  const Op watching = testing::toy_op_of<WatchingCase>();
  EXPECT_EQ(run_all({&watching, 1}, toy_cases(50), backend, options).exit_code(), kAllAsExpected);
  EXPECT_EQ(most, 1) << "calls with the on-device checker are serialized too";
}

TEST(RunAll, ACaseThatNoKernelOffersIsOneExpectedSkip) {
  std::vector<Case> which = toy_cases(1);
  which.push_back(testing::toy_case("bf16", "3x8"));
  which[1].parameters["contract"] = "toy.other";
  const RunResult result = run_kernels(which, "copy");
  ASSERT_EQ(result.verdicts.size(), 2u);
  EXPECT_EQ(result.verdicts[1].outcome, Outcome::kSkip);
  EXPECT_EQ(result.verdicts[1].message, "no kernel for contract toy.other");
  EXPECT_EQ(result.exit_code(), kAllAsExpected);
  EXPECT_EQ(run_kernels({which[1]}, "copy").exit_code(), kUsageOrNothingRan) << "nothing ran";
  EXPECT_EQ(run_kernels({}, "copy").exit_code(), kUsageOrNothingRan);
}

TEST(RunAll, ExitCodes) {
  EXPECT_EQ(run_kernels(toy_cases(1), "copy").exit_code(), kAllAsExpected);
  EXPECT_EQ(run_kernels(toy_cases(1), "refuses").exit_code(), kUsageOrNothingRan) << "all cases were refused";
  EXPECT_EQ(run_kernels(toy_cases(1), "loses_device").exit_code(), kDeviceLost);
  const Ledger ledger =
      Ledger::parse("case,kernel,outcome,reason,issue,since,owner\n*,*,fail,flips a bit,#1,2026-11-21,ann\n", "l.csv");
  RunOptions options;
  options.ledger = &ledger;
  EXPECT_EQ(run_kernels(toy_cases(1), "off_by_one", options).exit_code(), kAllAsExpected);
  EXPECT_EQ(run_kernels(toy_cases(1), "copy", options).exit_code(), kUnexpected) << "an unexpected fix";
}

TEST(RunAll, ThreeLossesInARowEndTheRun) {
  RunOptions options;
  options.threads = 1;
  EXPECT_EQ(run_kernels(toy_cases(20), "loses_device", options).verdicts.size(), 3u);
}

TEST(RunAll, ARecordingThatCannotBeWrittenEndsTheRunAndBlamesNoKernel) {
  RunOptions options;
  options.threads = 4;
  int written = 0;
  options.each.record = [&](const Evidence&, const Verdict&) {
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    if (++written > 5) throw std::runtime_error("no space left on device");
  };
  const RunResult result = run_kernels(toy_cases(40), "copy", options);
  EXPECT_THAT(result.harness_error, HasSubstr("cannot record toy/bf16."));
  EXPECT_THAT(result.harness_error, HasSubstr("no space left on device"));
  EXPECT_EQ(result.exit_code(), kHarnessFailed);
  EXPECT_EQ(result.verdicts.size(), 5u) << "the verdicts made so far are kept";
  EXPECT_EQ(result.count(Outcome::kBroken), 0);
}

TEST(RunAll, WhatIsAskedToEndKeepsTheVerdictsThatAreThere) {
  std::vector<std::string> told;
  RunOptions options;
  options.threads = 1;
  options.on_verdict = [&](const Verdict& verdict) { told.push_back(verdict.case_id); };
  options.ended = [&]() -> const char* { return told.size() < 5 ? nullptr : "SIGINT"; };
  const RunResult ended = run_kernels(toy_cases(20), "copy", options);
  EXPECT_EQ(ended.verdicts.size(), 5u);
  EXPECT_EQ(told.size(), 5u);
  EXPECT_EQ(ended.ended_by, "SIGINT");
  told.clear();
  EXPECT_EQ(run_kernels(toy_cases(5), "copy", options).ended_by, "") << "all cases had verdicts, so the run did not end early";
}

TEST(RunAll, AVerdictThatWasMadeBeforeTheEndIsKeptThoughItsCauseIsNot) {
  bool seeking = false;
  std::vector<std::string> judged;
  RunOptions options;
  options.threads = 1;
  options.each.diagnose = [&](const Evidence&, Verdict& verdict) {
    EXPECT_EQ(judged.size(), 1u) << "the verdict is reported before the search for causes";
    seeking = true;
    verdict.causes = {"a cause"};
  };
  options.on_judged = [&](const Verdict& verdict) { judged.push_back(verdict.case_id); };
  options.ended = [&]() -> const char* { return seeking ? "the end of its time" : nullptr; };
  const RunResult ended = run_kernels(toy_cases(20), "off_by_one", options);
  EXPECT_EQ(ended.ended_by, "the end of its time");
  ASSERT_EQ(ended.verdicts.size(), 1u);
  EXPECT_EQ(ended.verdicts.front().case_id, judged.front());
  EXPECT_EQ(ended.count(Outcome::kFail), 1);
}

// Calls in a row: calls of one kernel that alternate between several of its cases.

class StatefulKernel : public ::testing::TestWithParam<const char*> {};

TEST_P(StatefulKernel, FailsInARowOnly) {
  RunOptions options;
  options.threads = 2;
  options.calls_in_a_row = 256;
  const RunResult result = run_kernels(toy_cases(3), GetParam(), options);
  ASSERT_THAT(result.verdicts, SizeIs(3));
  const Verdict& failed = result.verdicts[0];
  EXPECT_EQ(result.count(Outcome::kPass), 2) << "each case passes alone";
  ASSERT_EQ(failed.outcome, Outcome::kFail) << "the smallest case gets the result";
  ASSERT_TRUE(failed.climb);
  EXPECT_EQ(failed.climb->broken, "calls");
  EXPECT_TRUE(failed.climb->breaks_contract);
  EXPECT_THAT(failed.message, HasSubstr("of a series of calls is wrong: toy/bf16.m"));
  EXPECT_THAT(failed.message, HasSubstr(" (called alone, it is right): y: 1 of"));
  EXPECT_THAT(failed.climb->with, ElementsAre("toy/bf16.m2.n8.ramp.s1/w32", "toy/bf16.m3.n8.ramp.s1/w32"));
  EXPECT_THAT(failed.repro, ::testing::EndsWith("--case 'toy/bf16.m2.n8.ramp.s1/w32' --case 'toy/bf16.m3.n8.ramp.s1/w32'"));
}
INSTANTIATE_TEST_SUITE_P(All, StatefulKernel, ::testing::Values("mixes_sizes_up", "fails_at_times"));

TEST(CallsInARow, AHealthyKernelHasOneVerdictACaseAndTheSmallestCaseIsLast) {
  std::vector<std::string> told;
  int calls = 0;
  Backend backend = testing::toy_backend();
  backend.call = [&, inner = backend.call](const CallRequest& request) { return ++calls, inner(request); };
  RunOptions options;
  options.kernel_glob = "copy";
  options.calls_in_a_row = 40;
  options.on_verdict = [&](const Verdict& verdict) { told.push_back(verdict.case_id); };
  const RunResult result = run_all({&kToy, 1}, toy_cases(3), backend, options);
  EXPECT_EQ(result.count(Outcome::kPass), 3);
  EXPECT_EQ(calls, 43);
  EXPECT_FALSE(result.verdicts[0].climb) << "nobody asked for invariance tests";
  EXPECT_THAT(told, ElementsAre("toy/bf16.m2.n8.ramp.s1/w32", "toy/bf16.m3.n8.ramp.s1/w32", "toy/bf16.m1.n8.ramp.s1/w32"));
  options.each.ladder = true;
  EXPECT_THAT(run_all({&kToy, 1}, toy_cases(3), backend, options).verdicts[0].climb->held, ::testing::Contains("calls"));
}

TEST(CallsInARow, NeedTwoCasesThatPassAlone) {
  RunOptions options;
  options.calls_in_a_row = 40;
  EXPECT_EQ(run_kernels(toy_cases(1), "fails_at_times", options).exit_code(), kAllAsExpected);
  for (const Verdict& verdict : run_kernels(toy_cases(3), "off_by_one", options).verdicts) {
    EXPECT_EQ(verdict.outcome, Outcome::kFail);
    EXPECT_FALSE(verdict.climb);
  }
}

TEST(CallsInARow, OtherDataOtherLayoutsAndOtherShapesAreChosen) {
  std::vector<Case> many;
  const auto add = [&](const char* format, const char* shape, const char* seed) {
    many.push_back(checked_case(kToy, with_cells(testing::toy_case(format, shape), {{"seed", seed}})));
    many.back().name.shape = std::string(format) + shape;  // ids of the toy op do not name shape and data separately
  };
  add("bf16", "64x1024", "1");
  for (const char* seed : {"1", "2", "3"}) add("bf16", "2x8", seed);
  for (const char* seed : {"1", "2"}) add("f16", "2x8", seed);
  add("bf16", "1x8", "1");
  std::vector<const Case*> cases;
  for (const Case& one : many) cases.push_back(&one);
  EXPECT_THAT(cases_in_a_row(kToy, cases), ElementsAre(6, 1, 2, 4)) << "two of a layout, three of a shape, none of 2^16 elements";
}

TEST(RunAll, AnUnknownKernelIsAUsageErrorWithNearMatches) {
  try {
    run_kernels(toy_cases(1), "coppy");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(), "no kernel 'coppy' in toy; did you mean 'copy'?");
  }
}

constexpr const char* kHead = "case,kernel,outcome,reason,issue,since,owner\n";

Verdict verdict(const std::string& id, Outcome outcome) {
  Verdict v;
  v.case_id = id;
  v.kernel = "k";
  v.outcome = outcome;
  return v;
}

Verdict expected(const std::string& rows, Verdict v) {
  Ledger::parse(kHead + rows, "l.csv").expect(v);
  return v;
}

TEST(Ledger, AKnownFailureIsAsExpected) {
  const Verdict v = expected("a/*,*,fail,rounds twice,#7,2026-11-21,ann", verdict("a/1", Outcome::kFail));
  EXPECT_TRUE(as_expected(v));
  EXPECT_EQ(v.deviation, "expects fail: rounds twice (#7, since 2026-11-21, ann; l.csv:2)");
  EXPECT_FALSE(as_expected(expected("b/*,*,fail,rounds twice,#7,2026-11-21,ann", verdict("a/1", Outcome::kFail))));
}

TEST(Ledger, AnUnexpectedFixFailsTheRun) {
  RunResult result;
  result.verdicts = {expected("a/*,*,fail,rounds twice,#7,2026-11-21,ann", verdict("a/1", Outcome::kPass))};
  EXPECT_EQ(result.exit_code(), kUnexpected);
  result.verdicts = {expected("a/*,*,broken,rounds twice,#7,2026-11-21,ann", verdict("a/1", Outcome::kFail))};
  EXPECT_EQ(result.exit_code(), kUnexpected) << "it differs from the known failure";
}

TEST(Ledger, WhatIsNotOfferedAnyMoreIsNotTheKnownFailure) {
  Verdict skip = verdict("a/1", Outcome::kSkip);
  skip.offered = false;
  EXPECT_TRUE(as_expected(skip));
  EXPECT_FALSE(as_expected(expected("a/*,*,fail,rounds twice,#7,2026-11-21,ann", skip)));
}

TEST(Ledger, TheFirstRowThatCoversHolds) {
  const std::string rows = "a/1,k,pass,mended here,#8,2026-11-21,ann\na/*,*,fail,rounds twice,#7,2026-11-21,ann";
  EXPECT_TRUE(as_expected(expected(rows, verdict("a/1", Outcome::kPass))));
  EXPECT_TRUE(as_expected(expected(rows, verdict("a/2", Outcome::kFail))));
}

TEST(Ledger, AFlakyKernelMayPassOrFailIfItIsListedAndOnlyThen) {
  const std::string row = "a/*,*,flaky,race,#7,2026-11-21,ann";
  for (const Outcome outcome : {Outcome::kFlaky, Outcome::kFail, Outcome::kPass})
    EXPECT_TRUE(as_expected(expected(row, verdict("a/1", outcome)))) << name(outcome);
  for (const Outcome outcome : {Outcome::kBroken, Outcome::kUntrusted, Outcome::kSkip})
    EXPECT_FALSE(as_expected(expected(row, verdict("a/1", outcome)))) << name(outcome);
  EXPECT_FALSE(as_expected(verdict("a/1", Outcome::kFlaky))) << "not listed";
  EXPECT_FALSE(as_expected(expected("a/*,*,fail,race,#7,2026-11-21,ann", verdict("a/1", Outcome::kFlaky))))
      << "listed as a steady failure";
}

TEST(Ledger, TheGateDecidesWhereThereIsABaseline) {
  Verdict v = verdict("a/1", Outcome::kPass);
  v.gate = GateFinding{.state = GateState::kFixed, .passes = false};
  EXPECT_FALSE(as_expected(v));
  RunResult result;
  result.gate = GateRun{.baseline = "before"};
  result.verdicts = {v};
  EXPECT_EQ(result.exit_code(), kUnexpected);
  result.verdicts[0].gate->passes = true;
  EXPECT_EQ(result.exit_code(), kAllAsExpected);
  result.gate->gaps = {"share 2/3 is missing"};
  EXPECT_EQ(result.exit_code(), kUnexpected) << "a recording with gaps closes the gate";
  result.gate->gaps.clear();
  result.verdicts[0].outcome = Outcome::kSkip;
  result.verdicts[0].gate = GateFinding{.state = GateState::kGone};
  EXPECT_EQ(result.exit_code(), kUnexpected) << "no call is left";
}

TEST(Ledger, RowsThatCoverNothingAreNamed) {
  const Ledger ledger =
      Ledger::parse(std::string(kHead) + "a/*,*,fail,x,#7,2026-11-21,ann\nb/*,*,fail,y,#8,2026-11-21,ann", "l.csv");
  ASSERT_THAT(ledger.idle({verdict("a/1", Outcome::kFail)}), SizeIs(1));
  EXPECT_EQ(ledger.idle({verdict("a/1", Outcome::kFail)})[0]->origin.text(), "l.csv:3");
}

TEST(Ledger, ARowThatNoCaseOfItsOpMatchesIsStale) {
  const std::vector<Case> cases = toy_cases(2);
  const auto stale = [&](const std::string& glob, const std::string& kernel = "*") {
    return Ledger::parse(kHead + glob + "," + kernel + ",fail,x,#7,2026-11-21,ann", "l.csv").stale({}, cases, {&kToy, 1});
  };
  EXPECT_THAT(stale("toy/typo*"), ElementsAre("l.csv:2"));
  EXPECT_THAT(stale("tyo/*"), ElementsAre("l.csv:2")) << "no such op";
  EXPECT_THAT(stale("toy/bf16.m2.*"), IsEmpty()) << "the case exists, although it did not run";
  EXPECT_THAT(stale("t*/typo*"), IsEmpty()) << "the glob may match another op";
  Op other = kToy;
  other.name = "other";
  const std::vector<Op> both = {kToy, other};
  EXPECT_THAT(Ledger::parse(std::string(kHead) + "other/typo*,*,fail,x,#7,2026-11-21,ann", "l.csv").stale({}, cases, both),
              IsEmpty())
      << "the cases of that op are not loaded";
  RunResult result;
  result.verdicts = {verdict("a/1", Outcome::kPass)};
  result.stale_rows = {"l.csv:2"};
  EXPECT_EQ(result.exit_code(), kAllAsExpected) << "a stale row is only a note";
  result.rejects_stale_rows = true;
  EXPECT_EQ(result.exit_code(), kUnexpected) << "with --strict";
  result.stale_rows.clear();
  EXPECT_EQ(result.exit_code(), kAllAsExpected);
}

std::string complaint(const std::string& rows) {
  try {
    Ledger::parse(kHead + rows, "l.csv");
  } catch (const TableError& error) {
    return error.what();
  }
  return "";
}

TEST(Ledger, WrongCellsAreNamed) {
  EXPECT_THAT(complaint("a,*,fial,x,#7,2026-11-21,ann"),
              HasSubstr("l.csv:2:5: outcome: no outcome 'fial'; did you mean 'fail'?"));
  EXPECT_THAT(complaint("a,*,fail,,#7,2026-11-21,ann"), HasSubstr("l.csv:2:10: reason: is empty"));
  EXPECT_THAT(complaint("a,*,fail,x,#7,yesterday,ann"), HasSubstr("since: 'yesterday': expected a date"));
  EXPECT_THAT(complaint("a,*,fail,x,#7,2026-11-21"), HasSubstr("l.csv:2"));
}

TEST(Ledger, ARowThatStandsTwiceIsNamedWithBothPlaces) {
  EXPECT_THAT(complaint("a,*,fail,x,#7,2026-11-21,ann\nb,*,fail,x,#7,2026-11-21,ann\na,*,broken,y,#8,2026-11-22,bob"),
              HasSubstr("l.csv:4:1: case: is a duplicate: l.csv:2 is for the same cases and kernels"));
  EXPECT_EQ(complaint("a,k,fail,x,#7,2026-11-21,ann\na,*,fail,x,#7,2026-11-21,ann"), "") << "the rows are for different kernels";
}

#ifdef __SANITIZE_THREAD__
TEST(ThreadSanitizer, ReportsARaceInTheBodyOfTheParallelLoop) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto sum_without_a_lock = [] {
    int64_t sum = 0;
    std::atomic<int> arrived = 0;
    parallel_loop(2, [&](int64_t i) {
      arrived.fetch_add(1, std::memory_order_relaxed);  // a relaxed atomic orders no other accesses, so the additions race
      while (arrived.load(std::memory_order_relaxed) < 2) std::this_thread::yield();
      sum += i;
    });
    std::exit(sum < 0);
  };
  EXPECT_EXIT(sum_without_a_lock(), ::testing::ExitedWithCode(66), "data race");
}
#endif

}  // namespace
}  // namespace assay
