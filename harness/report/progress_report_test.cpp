// A log gets a line from time to time, a terminal one line that is overwritten.
#include "harness/report/progress_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "harness/testing/sample_verdicts.h"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

TEST(ProgressReport, ALogGetsALineEachHalfMinute) {
  double now = 100;
  std::vector<std::string> written;
  ProgressReport progress(
      7, false, [&] { return now; }, [&](const std::string& text) { written.push_back(text); });
  progress.step(testing::verdict(Outcome::kFail));
  EXPECT_TRUE(written.empty()) << "a short run says nothing";
  now += ProgressReport::kSecondsBetweenLines;
  progress.step(testing::verdict(Outcome::kPass, "a/b"));
  progress.step(testing::verdict(Outcome::kPass, "a/c"));
  now += ProgressReport::kSecondsBetweenLines + 1;
  progress.step(testing::verdict(Outcome::kPass, "a/d"));
  progress.clear();
  EXPECT_THAT(written, ElementsAre("assay: 2 verdicts after 30 s, 1 not as expected; 7 cases in all; now a/b\n",
                                   "assay: 4 verdicts after 61 s, 1 not as expected; 7 cases in all; now a/d\n"));
}

TEST(ProgressReport, ATerminalHasOneLine) {
  std::vector<std::string> written;
  ProgressReport progress(
      7, true, [] { return 0.0; }, [&](const std::string& text) { written.push_back(text); });
  progress.step(testing::verdict(Outcome::kPass, "a\x1b"));
  progress.clear();
  EXPECT_THAT(written, ElementsAre(StartsWith("\r\033[K1 verdicts, 7 cases  a\\x1b"), "\r\033[K"));
}

}  // namespace
}  // namespace assay
