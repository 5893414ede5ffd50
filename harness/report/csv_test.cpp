// The CSV report can be parsed again, and every column holds what was put in.
#include "harness/report/csv.h"

#include <gtest/gtest.h>

#include <utility>

#include "harness/report/words.h"
#include "harness/testing/sample_verdicts.h"
#include "reference/table/table.h"

namespace assay {
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
}  // namespace assay
