// Changes between two runs are found from the earlier run's JSON report.
#include "harness/report/trend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "harness/report/html/html.h"
#include "harness/report/json.h"
#include "harness/testing/sample_verdicts.h"
#include "harness/text/error.h"

namespace assay {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::verdict;

class TrendTest : public ::testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }
  EarlierRun read(const std::string& text) {
    std::ofstream(path_) << text;
    return read_earlier_run(path_);
  }
  const std::string path_ = std::filesystem::temp_directory_path() / ("assay_trend_" + std::to_string(::getpid()));
};

RunResult run_of(std::vector<Verdict> verdicts) {
  RunResult result;
  result.verdicts = std::move(verdicts);
  return result;
}

TEST_F(TrendTest, EachKindOfChangeIsCounted) {
  Provenance provenance;
  provenance.begun = "2026-11-22T00:00:00Z";
  const RunResult before =
      run_of({verdict(Outcome::kPass, "q/worse"), verdict(Outcome::kFail, "q/better"), verdict(Outcome::kFail, "q/bad"),
           verdict(Outcome::kPass, "q/good"), verdict(Outcome::kPass, "q/gone"), verdict(Outcome::kSkip, "q/skip")});
  const EarlierRun earlier = read(json_text(before, {}, provenance));
  const RunResult now =
      run_of({verdict(Outcome::kFail, "q/worse"), verdict(Outcome::kPass, "q/better"), verdict(Outcome::kBroken, "q/bad"),
           verdict(Outcome::kPass, "q/good"), verdict(Outcome::kFail, "q/skip"), verdict(Outcome::kFail, "q/new"),
           verdict(Outcome::kPass, "q/new and right")});
  const Trend trend = trend_of(now, earlier);
  ASSERT_EQ(trend.worse.size(), 1u);
  EXPECT_EQ(trend.worse[0]->case_id, "q/worse");
  ASSERT_EQ(trend.better.size(), 1u);
  EXPECT_EQ(trend.better[0]->case_id, "q/better");
  EXPECT_EQ(trend.fresh.size(), 2u);
  EXPECT_EQ(trend.still_bad, 1);
  EXPECT_EQ(trend.still_passed, 1);
  EXPECT_EQ(trend.gone, 1);
  const std::string page = html_text(now, {}, {}, &earlier);
  EXPECT_THAT(
      page, HasSubstr(" of 2026-11-22T00:00:00Z: 1 worse, 1 better, 2 wrong that were not judged before, 1 still wrong, 1 still "
                      "right, 1 judged before but not now."));
  EXPECT_THAT(html_text(now, {}, {}), Not(HasSubstr("id=\"trend\"")));
}

TEST_F(TrendTest, WhatIsNoReportIsRefusedByName) {
  for (const char* text : {"", "[]", "{\"verdicts\": 3}", "{\"verdicts\": [{\"case\": 1}]}"}) {
    try {
      read(text);
      ADD_FAILURE() << text;
    } catch (const UsageError& error) {
      EXPECT_THAT(error.what(), HasSubstr(path_));
    }
  }
  EXPECT_THROW(read_earlier_run("/no/such/file"), UsageError);
}

}  // namespace
}  // namespace assay
