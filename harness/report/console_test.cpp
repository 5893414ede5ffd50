// Tests the console report: compares whole blocks of text with the expected text.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "harness/report/console.h"
#include "harness/report/progress_report.h"
#include "harness/report/verdict_text.h"
#include "harness/testing/sample_verdicts.h"

namespace assay {
namespace {

using testing::element;
using ::testing::HasSubstr;
using testing::one_of_each;
using testing::truncating_kernel;
using testing::verdict;

TEST(Console, AFailureSaysWhatWhereHowMuchByWhichRightAndHowToRepeat) {
  EXPECT_EQ(failure_text(truncating_kernel()),
            R"(FAIL  quant_group/e4m3fn.m2.n256.g128.ties.s17
  kernel    group_fp8 of back end cpu
  tensor    q [2, 256] e4m3fn: 223 of 512 elements outside their accepted set, every one toward zero
  first     q[0, 2]   got 0xd5 = -13   accepted 0xd6 = -14   +1 ulp of e4m3fn
  worst     q[1, 7]   got 0x55 = 13   accepted 0x56 = 14 .. 0x57 = 15   -1 ulp of e4m3fn
  accepted  pinned: one code
  note      truncation for nearest explains 223 of 223 elements
  tensor    scale [2, 2] f32: all 4 elements are accepted, budget use 0.50
  row       suites/quant_group/cases/quick.csv:3  every quotient lies halfway between two codes
  repro     assay run --backend cpu --case 'quant_group/e4m3fn.m2.n256.g128.ties.s17'
)");
}

TEST(Console, NanZeroAndPaddingHaveTheirOwnWords) {
  Verdict v = truncating_kernel();
  v.tensors.resize(1);
  v.tensors[0].first = element({0, 2}, 0x7f, 0x00, 0x00, 0);
  v.tensors[0].worst = element({0, 3}, 0x80, 0x00, 0x00, 0);
  v.tensors[0].padding_wrong = 2;
  v.tensors[0].padding_first = "[2, 0] holds 0x05 = 0.009765625, must be zero";
  EXPECT_THAT(failure_text(v), HasSubstr("got 0x7f = nan   accepted 0x00 = 0   is NaN\n"));
  EXPECT_THAT(failure_text(v), HasSubstr("got 0x80 = -0   accepted 0x00 = 0   differs in the sign of zero\n"));
  EXPECT_THAT(failure_text(v), HasSubstr("  padding   2 elements wrong, first q[2, 0] holds 0x05 = 0.009765625, must be zero\n"));
  v.tensors[0].worst = element({0, 3}, 0x7f, 0xff, 0xff, 0);
  EXPECT_THAT(failure_text(v), HasSubstr("got 0x7f = nan   accepted 0xff = nan   is another NaN\n"));
  v.tensors[0].outside = 0;
  EXPECT_THAT(failure_text(v), HasSubstr("all 512 elements are accepted, but the padding is wrong"));
  EXPECT_EQ(headline(v), "q: 2 padding elements wrong");
}

TEST(Console, TheSummaryCountsByContractAndGroupsSkipsByReason) {
  EXPECT_EQ(summary_text(one_of_each()),
            R"(op           contract        warp  pass  fail  skip  untrusted  broken
quant_group  vllm.group_fp8  32       1     1     1          0       1
rms_norm     vllm.rms_norm            0     0     0          1       0
skipped
      1  no kernel for contract vllm.group_fp8
failed, by cause
      1  fail q: 223 of 512 elements outside, worst 1 ulp at [1, 7]
         group_fp8; first quant_group/e4m3fn.m2.n256.g128.ties.s17
      1  broken wrote outside 'q': 1 byte behind its end <&"'>, first 0 bytes behind it
         group_fp8; first quant_group/b
      1  untrusted blind to scale dropped
         group_fp8; first rms_norm/d
)");
}

/// A run with `count` failures; with `apart`, each has its own cause.
RunResult failures(size_t count, bool apart) {
  RunResult result;
  for (size_t i = 0; i < count; ++i) {
    Verdict v = truncating_kernel();
    v.case_id = "quant_group/wrong" + std::to_string(i);
    const std::string letter(1, char('a' + i % 26));
    v.causes = {"explains 223 of 223 failing elements: " + (apart ? "mistake " + letter + letter : std::string("ceil -> floor"))};
    result.verdicts.push_back(std::move(v));
  }
  return result;
}

int64_t lines_of(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

TEST(Console, FailuresOfOneCauseAreOneBlockWithTheCauseInItsSecondLine) {
  const RunResult result = failures(454, false);
  const std::string text = failures_text(result, {}, false);
  EXPECT_THAT(text, ::testing::StartsWith(
                        "FAIL  quant_group/wrong0\n  cause     explains 223 of 223 failing elements: ceil -> floor\n"
                        "  failures  454 verdicts of kernel group_fp8; also quant_group/wrong1, quant_group/wrong2, ...\n"));
  EXPECT_EQ(text.find("FAIL", 4), std::string::npos);
  EXPECT_LE(lines_of(text + summary_text(result)), 30);
  EXPECT_THAT(failures_text(result, {.all = true}, false), HasSubstr("\nFAIL  quant_group/wrong453\n"));
}

TEST(Console, BlocksAreCappedAndTheOtherCausesAreListed) {
  const RunResult result = failures(454, true);
  const std::string text = failures_text(result, {}, false);
  EXPECT_THAT(text,
              HasSubstr("20 more causes with 346 verdicts, listed below; --max-failures N or --show all prints them in full\n"));
  EXPECT_LE(lines_of(text + summary_text(result)), 200);
  EXPECT_THAT(summary_text(result), HasSubstr("and 14 more causes; --show all prints them\n"));
  const std::string one = failures_text(result, {.failures = 1}, false);
  EXPECT_EQ(one.find("FAIL", 4), std::string::npos);
  EXPECT_THAT(one, HasSubstr("25 more causes"));
  EXPECT_GT(lines_of(failures_text(result, {.all = true}, false)), 4000);
}

TEST(Console, ALongBlockKeepsItsHeadAndItsRepro) {
  RunResult result;
  result.verdicts = {truncating_kernel()};
  for (int i = 0; i < 40; ++i) result.verdicts[0].tensors[0].notes.push_back("note " + std::to_string(i));
  const std::string text = failures_text(result, {}, false);
  EXPECT_EQ(lines_of(text), 21) << "and an empty line\n" << text;
  EXPECT_THAT(text, HasSubstr("  ...       31 more lines; --show all prints them\n"));
  EXPECT_THAT(text, HasSubstr("\n  repro     assay run"));
  EXPECT_THAT(failures_text(result, {.all = true}, false), HasSubstr("note 39"));
}

TEST(Console, ACaseThatPassesAgainstItsLedgerHasABlock) {
  RunResult result;
  result.verdicts = {verdict(Outcome::kPass)};
  EXPECT_EQ(failures_text(result, {}, false), "");
  result.verdicts[0].expected = "fail";
  result.verdicts[0].deviation = "known.csv:2: fail, a race";
  EXPECT_THAT(failures_text(result, {}, false), HasSubstr("PASS  quant_group/e4m3fn.m2.n256.g128.ties.s17\n"));
  EXPECT_THAT(failures_text(result, {}, false), HasSubstr("  listed    known.csv:2: fail, a race\n"));
  EXPECT_EQ(outcome_line(result), "NOT AS EXPECTED: 1 of 1 (1 pass; 1 listed failure passes now)\n");
}

TEST(Console, RowsOfTheListThatMatchNothingAreNamedAndFailOnlyAStrictRun) {
  const Ledger list = Ledger::parse(
      "case,kernel,outcome,reason,issue,since,owner\nquant_group/typo*,*,fail,x,#7,2026-11-21,ann\nother/"
      "*,*,fail,x,#7,2026-11-21,ann\n"
      "*,nobody,fail,x,#7,2026-11-21,ann\n",
      "l.csv");
  RunResult result;
  result.verdicts = {verdict(Outcome::kPass)};
  result.stale_rows = {"l.csv:2"};
  EXPECT_EQ(idle_rows_text(list, result),
            "known-failures list: l.csv:2 matches no case of its op; was the case renamed, or is the id misspelled?\n"
            "known-failures list: l.csv:3 matches no case of this run\n"
            "known-failures list: l.csv:4 matches no kernel that ran its cases\n");
  EXPECT_EQ(outcome_line(result), "ALL AS EXPECTED: 1 pass\n");
  result.rejects_stale_rows = true;
  EXPECT_EQ(outcome_line(result), "NOT AS EXPECTED: 1 pass; 1 row of the known-failures list matches no case\n");
}

TEST(Console, AKernelThatRanInNoCaseIsNamedWithItsReason) {
  RunResult result;
  const auto add = [&](const char* kernel, Outcome outcome, const char* message) {
    result.verdicts.push_back(verdict(outcome));
    result.verdicts.back().kernel = kernel, result.verdicts.back().message = message;
  };
  add("near", Outcome::kPass, ""), add("near", Outcome::kSkip, "too wide"), add("", Outcome::kSkip, "no kernel for op x");
  EXPECT_EQ(idle_kernels_text(result), "") << "one ran in some case, and no kernel is none";
  add("far", Outcome::kSkip, "too wide"), add("far", Outcome::kSkip, "too wide"), add("far", Outcome::kSkip, "too long");
  EXPECT_EQ(idle_kernels_text(result), "kernel far ran no case: skipped 2 times because of \"too wide\", 1 for other reasons\n");
  add("far", Outcome::kFail, "");
  EXPECT_EQ(idle_kernels_text(result), "");
}

TEST(Console, ManyContractsAreCountedByOp) {
  RunResult result;
  for (int i = 0; i < 40; ++i) {
    result.verdicts.push_back(verdict(i == 7 ? Outcome::kFail : Outcome::kPass));
    result.verdicts.back().contract = "acme.contract" + std::to_string(i);
  }
  const std::string text = summary_text(result);
  EXPECT_THAT(text, HasSubstr("quant_group  40 contracts"));
  EXPECT_THAT(text, HasSubstr("acme.contract7 "));
  EXPECT_EQ(text.find("acme.contract8"), std::string::npos);
  EXPECT_THAT(summary_text(result, {.all = true}), HasSubstr("acme.contract8"));
}

TEST(Console, ContractsThatAreNotOfferedAreCountedNotListed) {
  RunResult result = one_of_each();
  result.verdicts[3].contract = "vllm.other";
  EXPECT_THAT(summary_text(result), ::testing::Not(HasSubstr("\nquant_group  vllm.other")));
  EXPECT_THAT(summary_text(result), HasSubstr("\n1 contract that the library does not implement is not shown\n"));
}

TEST(Console, ColourIsForTerminalsAndMarksTheFirstWords) {
  EXPECT_EQ(coloured("NOT AS EXPECTED: 3 of 5\n", true), "\x1b[1;31mNOT AS EXPECTED\x1b[0m: 3 of 5\n");
  EXPECT_EQ(coloured("ALL AS EXPECTED: 3 pass\n", true), "\x1b[1;32mALL AS EXPECTED\x1b[0m: 3 pass\n");
  EXPECT_EQ(coloured("FAIL  quant_group/x\n  kernel\n", true), "\x1b[1;31mFAIL\x1b[0m  quant_group/x\n  kernel\n");
  EXPECT_EQ(coloured("FAIL  quant_group/x\n  cause     a race\n  kernel    k\n", true),
            "\x1b[1;31mFAIL\x1b[0m  quant_group/x\n\x1b[1;33m  cause     a race\x1b[0m\n  kernel    k\n");
  EXPECT_EQ(coloured("FAIL  quant_group/x\n", false), "FAIL  quant_group/x\n");
  const int file = ::open("/dev/null", O_WRONLY);
  EXPECT_FALSE(wants_colour(file)) << "no terminal";
  ::close(file);
}

TEST(Console, WhatAForeignLibraryDoesNotOfferIsOneLine) {
  RunResult result;
  result.verdicts = {verdict(Outcome::kPass)};
  for (int i = 0; i < 40; ++i) {
    Verdict skip = verdict(Outcome::kSkip);
    skip.op = "op" + std::to_string(i / 2), skip.contract = "c" + std::to_string(i), skip.offered = false;
    skip.message = i % 2 == 0 ? "no kernel for op " + skip.op : "no kernel for contract " + skip.contract;
    result.verdicts.push_back(skip);
  }
  const std::string text = summary_text(result);
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 7) << text;
  EXPECT_THAT(text, HasSubstr("     40  no kernel for 20 other ops; --report csv"));
  EXPECT_EQ(outcome_line(result), "ALL AS EXPECTED: 1 pass, 40 skip\n");
  result.ended_by = "SIGTERM";
  EXPECT_EQ(outcome_line(result), "ENDED EARLY by SIGTERM: 1 pass, 40 skip; the other cases have no verdict\n");
}

TEST(Console, TheLastLineTellsTheWaysToEndApart) {
  RunResult result;
  EXPECT_EQ(outcome_line(result), "NOTHING RAN\n");
  result.verdicts = {one_of_each().verdicts[3]};
  EXPECT_EQ(outcome_line(result), "NOTHING RAN: 1 skip\n");
  result.verdicts = {verdict(Outcome::kPass)};
  EXPECT_EQ(outcome_line(result), "ALL AS EXPECTED: 1 pass\n");
  result.device_lost = true;
  EXPECT_EQ(outcome_line(result), "DEVICE LOST: 1 pass\n");
}

}  // namespace

// Progress in a log is a line from time to time; on a terminal it is one line that is overwritten.
namespace {

using ::testing::ElementsAre;

TEST(ProgressReport, ALogGetsALineEachHalfMinute) {
  double now = 100;
  std::vector<std::string> written;
  ProgressReport progress(7, "cases",
                          {false, 80, [&] { return now; }, [&](const std::string& text) { written.push_back(text); }});
  progress.step(testing::verdict(Outcome::kFail));
  progress.step("a step that is not a verdict");
  EXPECT_TRUE(written.empty()) << "a short run says nothing";
  now += ProgressReport::kSecondsBetweenLines;
  progress.step(testing::verdict(Outcome::kPass, "a/b"));
  progress.step(testing::verdict(Outcome::kPass, "a/b"));
  now += ProgressReport::kSecondsBetweenLines + 1;
  progress.step(testing::verdict(Outcome::kPass, "a/d"));
  progress.clear();
  EXPECT_THAT(written, ElementsAre("assay: 2 verdicts after 30 s, 1 not as expected; 3 of 7 cases; now a/b\n",
                                   "assay: 4 verdicts after 61 s, 1 not as expected; 4 of 7 cases; now a/d\n"));
}

TEST(ProgressReport, ATerminalHasOneLineThatFitsIt) {
  double now = 0;
  std::vector<std::string> written;
  ProgressReport progress(8, "cases", {true, 60, [&] { return now; }, [&](const std::string& text) { written.push_back(text); }});
  progress.step(testing::verdict(Outcome::kFail, "a\x1b"));
  now = 65;
  progress.step(testing::verdict(Outcome::kPass, "quant_group/" + std::string(100, 'x')));
  progress.clear();
  EXPECT_THAT(written, ElementsAre("\r\033[K 12 %  1 of 8 cases, 1 failed  a\\x1b",
                                   "\r\033[K 25 %  2 of 8 cases, 1 failed, 3:15 left  quant_group/xxxxx", "\r\033[K"));
  for (const std::string& text : written) EXPECT_LT(text.size(), 60 + std::string("\r\033[K").size()) << text;
}

}  // namespace
}  // namespace assay
