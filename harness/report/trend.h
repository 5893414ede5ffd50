// A run compared with the JSON report of an earlier one.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "harness/run/run.h"

namespace assay {

/// What an earlier run said of each case and kernel.
struct EarlierRun {
  std::string path, begun;  ///< when it began, as it says; empty: it does not
  std::map<std::pair<std::string, std::string>, std::string> outcomes;
};

/// Reads a report that `--report json:FILE` wrote. Throws UsageError naming the file and what it lacks.
EarlierRun read_earlier_run(const std::string& path);

struct Trend {
  std::vector<const Verdict*> worse;   ///< passed before, are bad now
  std::vector<const Verdict*> better;  ///< were bad before, pass now
  std::vector<const Verdict*> fresh;   ///< bad, and not judged in the earlier run
  int64_t still_bad = 0, still_passed = 0;
  int64_t gone = 0;  ///< judged before, not in this run
};

Trend trend_of(const RunResult& result, const EarlierRun& earlier);

}  // namespace assay
