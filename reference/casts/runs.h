// A cast over all inputs as runs of consecutive patterns with one code; also the content of its golden file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reference/casts/profile.h"

namespace assay {

/// Consecutive inputs first..last with the same code.
struct CodeRun {
  uint64_t first, last;
  uint32_t code;
  bool operator==(const CodeRun&) const = default;
};

/// All inputs in order, without gaps; adjacent runs differ. A cast is monotone between the places where a rule changes, so the
/// ends of runs are found by bisection.
std::vector<CodeRun> runs_of(const CastProfile& profile);

/// Inputs that have code `a` in one cast and `b` in the other.
struct RunDifference {
  uint64_t first, last;
  uint32_t a, b;
  bool operator==(const RunDifference&) const = default;
};

/// Where two complete lists of runs differ; adjacent differences with the same two codes are merged.
std::vector<RunDifference> differences(const std::vector<CodeRun>& a, const std::vector<CodeRun>& b);

/// Total number of inputs.
double inputs_of(const std::vector<RunDifference>& differences);

/// The code of one input.
uint32_t code_at(const std::vector<CodeRun>& runs, uint64_t input);

/// Why the runs are not a complete list for that source: a gap, an overlap, adjacent runs with equal codes. Empty if they are
/// complete.
std::string flaw_of(const std::vector<CodeRun>& runs, const CastSource& source);

}  // namespace assay
