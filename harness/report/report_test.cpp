// Properties of all reports: text from a library is escaped, and --report rejects unknown kinds.
#include "harness/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "harness/report/console.h"
#include "harness/report/verdict_text.h"
#include "harness/testing/sample_verdicts.h"
#include "harness/text/messages.h"
#include "reference/table/table.h"

namespace assay {
namespace {

using ::testing::HasSubstr;
using testing::verdict;

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
  const std::string known = "; reports: console, github, csv:FILE, junit:FILE, json:FILE, html:FILE, md:FILE, sarif:FILE";
  EXPECT_EQ(error_of("pdf:x"), "--report pdf:x: unknown report 'pdf'" + known);
  EXPECT_EQ(error_of("csv"), "--report csv: a file name is missing" + known);
  EXPECT_EQ(error_of("html:"), "--report html:: a file name is missing" + known);
  EXPECT_EQ(parse_report("md:x").kind, ReportKind::kMarkdown);
  EXPECT_EQ(parse_report("sarif:x").kind, ReportKind::kSarif);
  EXPECT_EQ(parse_report("github").kind, ReportKind::kGithub);
  EXPECT_EQ(error_of("github:x"), "--report github:x: github goes to no file" + known);
  EXPECT_EQ(error_of("console:x"), "--report console:x: console goes to no file" + known);
}

}  // namespace

// The CSV report can be parsed again, and every column holds what was put in.
namespace {

using testing::one_of_each;
using testing::truncating_kernel;

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

}  // namespace

// Approval test of the JUnit report; known failures are not failures in it.
namespace {

using ::testing::HasSubstr;
using testing::one_of_each;
using testing::truncating_kernel;

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
  reason    wrote outside 'q': 1 byte behind its end &lt;&amp;"'&gt;, first 0 bytes behind it
  kernel    group_fp8 of back end cpu
  row       suites/quant_group/cases/quick.csv:3  every quotient lies halfway between two codes
  repro     assay run --backend cpu --case 'quant_group/b'
  next      assay explain quant_group/b --backend cpu --kernel group_fp8 --minimize finds the smallest case that still breaks
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
  reason    blind to scale dropped
  kernel    group_fp8 of back end cpu
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

}  // namespace
}  // namespace assay
