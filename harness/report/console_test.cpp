// The console report: approval tests of whole blocks.
#include "harness/report/console.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "harness/report/words.h"
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
  tensor    scale [2, 2] f32: 4 elements agree, budget use 0.50
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
  EXPECT_THAT(failure_text(v), HasSubstr("512 elements agree, but the padding is wrong"));
  EXPECT_EQ(headline(v), "q: 2 padding elements wrong");
}

TEST(Console, TheSummaryCountsByContractAndGroupsSkipsByReason) {
  EXPECT_EQ(summary_text(one_of_each()),
            R"(op           contract        warp  pass  fail  skip  untrusted  broken
quant_group  vllm.group_fp8  32       1     1     1          0       1
rms_norm     vllm.rms_norm            0     0     0          1       0
skipped
      1  no kernel for contract vllm.group_fp8
untrusted
      1  blind to scale dropped
failed, by cause
      1  fail q: 223 of 512 elements outside, worst 1 ulp at [1, 7]
         group_fp8; first quant_group/e4m3fn.m2.n256.g128.ties.s17
      1  broken wrote outside 'q': 1 byte behind its end <&"'>, first 0 bytes behind it
         group_fp8; first quant_group/b
      1  untrusted blind to scale dropped
         group_fp8; first rms_norm/d
)");
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
  EXPECT_THAT(text, HasSubstr("     40  no kernel for 20 ops and for 20 contracts of other ops"));
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
}  // namespace assay
