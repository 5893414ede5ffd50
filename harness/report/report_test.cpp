// Properties of all reports: text from a library is escaped, and --report rejects unknown kinds.
#include "harness/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "harness/report/console.h"
#include "harness/report/csv.h"
#include "harness/report/junit.h"
#include "harness/testing/sample_verdicts.h"
#include "harness/text/error.h"

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
  const std::string known = "; reports: console, csv:FILE, junit:FILE, json:FILE, html:FILE";
  EXPECT_EQ(error_of("pdf:x"), "--report pdf:x: unknown report 'pdf'" + known);
  EXPECT_EQ(error_of("csv"), "--report csv: a file name is missing" + known);
  EXPECT_EQ(error_of("html:"), "--report html:: a file name is missing" + known);
  EXPECT_EQ(error_of("console:x"), "--report console:x: console goes to no file" + known);
}

}  // namespace
}  // namespace assay
