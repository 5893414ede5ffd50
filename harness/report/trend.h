// Compares a run with the JSON report of an earlier one.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "harness/run/run.h"

namespace assay {

/// Outcomes of an earlier run by case and kernel.
struct EarlierRun {
  std::string path, begun;  ///< start of that run as its report states it; empty if it does not
  std::map<std::pair<std::string, std::string>, std::string> outcomes;
};

/// Reads a report written by `--report json:FILE`. Throws UsageError naming the file and what it lacks.
EarlierRun read_earlier_run(const std::string& path);

struct Trend {
  std::vector<const Verdict*> worse;   ///< passed earlier, fail now
  std::vector<const Verdict*> better;  ///< failed earlier, pass now
  std::vector<const Verdict*> fresh;   ///< fail now, and were not checked in the earlier run
  int64_t still_bad = 0, still_passed = 0;
  int64_t gone = 0;  ///< checked earlier, missing in this run
};

Trend trend_of(const RunResult& result, const EarlierRun& earlier);

}  // namespace assay
