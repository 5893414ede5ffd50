// Groups the failures of a run by cause, for reports that show each cause once.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "harness/run/run.h"

namespace assay {

/// Outcomes that indicate a fault of a kernel or a case.
constexpr bool is_bad(Outcome outcome) { return outcome != Outcome::kPass && outcome != Outcome::kSkip; }

/// Failures of one kernel on one data set at several warp sizes with the same cause; shown once.
struct Twins {
  std::vector<size_t> places;  ///< indices of the run's verdicts; the first is shown
};

/// Failures whose causes differ only in numbers. Without a known cause a group holds one kernel, since two unknown causes need
/// not be the same.
struct FailureGroup {
  std::string cause;     ///< cause of the first failure without counts; empty if unknown
  bool expected = true;  ///< every failure is on the known-failures list
  int64_t verdicts = 0;
  std::vector<Twins> failures;  ///< in run order
  std::set<std::string> kernels;

  size_t first() const { return failures.front().places.front(); }
};

/// Sorted: unexpected groups first, then by number of verdicts, then in run order.
std::vector<FailureGroup> failures_by_cause(const RunResult& result);

/// The case ids of a group of twins as one: "quant_group/.../ties.s1/w32 and w64".
std::string twins_text(const RunResult& result, const Twins& twins);

}  // namespace assay
