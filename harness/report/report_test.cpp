// Reports are text that people read: each is approved as a whole.
#include "harness/report/report.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "harness/report/console.h"
#include "harness/report/csv.h"
#include "harness/report/junit.h"
#include "harness/report/words.h"
#include "harness/testing/sample_verdicts.h"
#include "harness/text/error.h"
#include "reference/table/table.h"

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
  EXPECT_THAT(failure_text(v), HasSubstr("512 elements agree, but not the padding"));
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
  EXPECT_THAT(summary_text(result), HasSubstr("\n1 contract of which the library offers nothing is left out\n"));
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
  EXPECT_THAT(text, HasSubstr("     40  no kernel for 20 ops and for 20 contracts of others"));
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

TEST(Csv, IsReadBackByTheTableReader) {
  const Table table = parse_table(csv_text(one_of_each(), {}, {}), "report.csv");
  ASSERT_EQ(table.rows.size(), 6u) << "a row for each tensor, one for a verdict without";
  EXPECT_EQ(table.text(table.rows[1], "tensor"), "q");
  EXPECT_EQ(table.integer(table.rows[1], "outside"), 223);
  EXPECT_EQ(table.text(table.rows[2], "tensor"), "scale");
  EXPECT_EQ(table.text(table.rows[2], "budget_use"), "0.5000");
  EXPECT_EQ(table.text(table.rows[3], "message"), one_of_each().verdicts[2].message);
  EXPECT_EQ(table.text(table.rows[3], "as_expected"), "no");
  EXPECT_EQ(table.text(table.rows[4], "as_expected"), "yes");
  EXPECT_EQ(table.text(table.rows[0], "faults_seen"), "") << "not computed";
}

TEST(Csv, ProgramsStandBesideTheirVerdict) {
  RunResult result;
  result.verdicts = {truncating_kernel()};
  result.verdicts[0].program = "split-K 2", result.verdicts[0].program_said = "split-K 3";
  const Table table = parse_table(csv_text(result, {}, {}), "report.csv");
  EXPECT_EQ(table.text(table.rows[0], "program"), "split-K 2");
  EXPECT_EQ(table.text(table.rows[0], "program_said"), "split-K 3");
  EXPECT_EQ(program_text(result.verdicts[0]), "split-K 2; the library said split-K 3");
}

TEST(Csv, PowerStandsInItsLastColumns) {
  RunResult result;
  result.verdicts = {truncating_kernel()};
  DataPower q{"q", "e4m3fn", 512, {}, 3, 2, 1};
  q.codes.set(0x38).set(0xb8);
  result.verdicts[0].power = {7, {"scale dropped"}, {q}};
  const Table table = parse_table(csv_text(result, {}, {}), "report.csv");
  for (const auto& [column, cell] : {std::pair("faults_seen", "6"), std::pair("faults", "7"), std::pair("codes_visited", "2"),
                                     std::pair("power_elements", "512"), std::pair("power_subnormal", "3"),
                                     std::pair("power_saturated", "2"), std::pair("power_nan", "1")}) {
    EXPECT_EQ(table.text(table.rows[0], column), cell) << column;
  }
  EXPECT_EQ(table.text(table.rows[1], "faults_seen"), "6") << "of the case";
  EXPECT_EQ(table.text(table.rows[1], "codes_visited"), "") << "of a tensor that was not looked at";
}

TEST(Junit, IsApproved) {
  LibraryInfo library;
  library.name = "assay <cpu>";
  library.arch = "cpu";
  RunResult result = one_of_each();
  result.verdicts.erase(result.verdicts.begin() + 1);
  EXPECT_EQ(junit_text(result, library, {}), R"(<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="assay" tests="4" failures="1" errors="1" skipped="1" time="1.000000">
  <testsuite name="quant_group" tests="3" failures="0" errors="1" skipped="1" time="0.750000">
    <properties>
      <property name="library" value="assay &lt;cpu>" />
      <property name="arch" value="cpu" />
    </properties>
    <testcase classname="quant_group" name="quant_group/a [group_fp8]" time="0.250000" />
    <testcase classname="quant_group" name="quant_group/b [group_fp8]" time="0.250000">
      <error type="broken" message="wrote outside 'q': 1 byte behind its end &lt;&amp;&quot;'>, first 0 bytes behind it">BROKEN  quant_group/b
  kernel    group_fp8 of back end cpu
  reason    wrote outside 'q': 1 byte behind its end &lt;&amp;"'&gt;, first 0 bytes behind it
  row       suites/quant_group/cases/quick.csv:3  every quotient lies halfway between two codes
  repro     assay run --backend cpu --case 'quant_group/b'
</error>
    </testcase>
    <testcase classname="quant_group" name="quant_group/c" time="0.250000">
      <skipped message="no kernel for contract vllm.group_fp8" />
    </testcase>
  </testsuite>
  <testsuite name="rms_norm" tests="1" failures="1" errors="0" skipped="0" time="0.250000">
    <properties>
      <property name="library" value="assay &lt;cpu>" />
      <property name="arch" value="cpu" />
    </properties>
    <testcase classname="rms_norm" name="rms_norm/d [group_fp8]" time="0.250000">
      <failure type="untrusted" message="blind to scale dropped">UNTRUSTED  rms_norm/d
  kernel    group_fp8 of back end cpu
  reason    blind to scale dropped
  row       suites/quant_group/cases/quick.csv:3  every quotient lies halfway between two codes
  repro     assay run --backend cpu --case 'rms_norm/d'
</failure>
    </testcase>
  </testsuite>
</testsuites>
)");
}

TEST(Junit, AnExpectedDeviationIsNoFailure) {
  RunResult result;
  result.verdicts = {truncating_kernel()};
  result.verdicts[0].expected = "fail";
  result.verdicts[0].deviation = "expects fail: truncates (#7)";
  const std::string text = junit_text(result, {}, {});
  EXPECT_THAT(text, HasSubstr("failures=\"0\""));
  EXPECT_THAT(
      text,
      HasSubstr("<skipped message=\"expects fail: truncates (#7); q: 223 of 512 elements outside, worst 1 ulp at [1, 7]\" />"));
}

TEST(Reports, BytesOfALibraryCannotSteerTheTerminalOrBreakALine) {
  RunResult result;
  result.verdicts = {verdict(Outcome::kBroken)};
  result.verdicts[0].message = std::string("\x1b[2J\xff\0\nALL AS EXPECTED", 22);
  const std::string words = "\\x1b[2J\\xff\\x00\\nALL AS EXPECTED";
  EXPECT_THAT(failure_text(result.verdicts[0]), HasSubstr("  reason    " + words + "\n"));
  EXPECT_THAT(csv_text(result, {}, {}), HasSubstr("," + words + ","));
  EXPECT_THAT(junit_text(result, {}, {}), HasSubstr("\\x1b[2J\\xff\\x00"));
}

TEST(ReportOption, UnknownKindsListWhatThereIs) {
  EXPECT_EQ(parse_report("console").kind, ReportKind::kConsole);
  EXPECT_EQ(parse_report("csv:out:1.csv").file, "out:1.csv");
  EXPECT_EQ(parse_report("junit:x.xml").kind, ReportKind::kJunit);
  EXPECT_EQ(parse_report("json:x").kind, ReportKind::kJson);
  EXPECT_EQ(parse_report("html:x").kind, ReportKind::kHtml);
  const auto error_of = [](const std::string& text) -> std::string {
    try {
      parse_report(text);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "no error";
  };
  const std::string known = "; reports: console, csv:FILE, junit:FILE, json:FILE, html:FILE";
  EXPECT_EQ(error_of("pdf:x"), "--report pdf:x: unknown report 'pdf'" + known);
  EXPECT_EQ(error_of("csv"), "--report csv: a file name is missing" + known);
  EXPECT_EQ(error_of("html:"), "--report html:: a file name is missing" + known);
  EXPECT_EQ(error_of("console:x"), "--report console:x: console goes to no file" + known);
}

}  // namespace
}  // namespace assay
