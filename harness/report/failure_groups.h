// The failures of a run by cause, for reports that show each cause once.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "harness/run/run.h"

namespace assay {

/// Outcomes that say something against a kernel or a case.
constexpr bool is_bad(Outcome outcome) { return outcome != Outcome::kPass && outcome != Outcome::kSkip; }

/// Failures of one kernel on one set of data at several warp sizes, for the same cause: shown once.
struct Twins {
  std::vector<size_t> places;  ///< in the run's verdicts; the first is shown
};

/// Failures whose causes differ in numbers at most. Where no cause is known a group holds one kernel: two unknowns are not the
/// same.
struct FailureGroup {
  std::string cause;     ///< of the first failure, without counts; empty if nothing is known
  bool expected = true;  ///< every failure is a known deviation
  int64_t verdicts = 0;
  std::vector<Twins> failures;  ///< in the order of the run
  std::set<std::string> kernels;

  size_t first() const { return failures.front().places.front(); }
};

/// Those that are not as expected first, then those with the most verdicts, then in the order of the run.
std::vector<FailureGroup> failures_by_cause(const RunResult& result);

/// "quant_group/.../ties.s1/w32 and w64": the case ids of twins in one.
std::string twins_text(const RunResult& result, const Twins& twins);

}  // namespace assay
