// All inputs of a cast as runs with the same code, and casts with one mistake.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reference/casts/cast_profile.h"

namespace assay {

// A cast over all its inputs, as runs: consecutive input patterns with the same code. Used as expected result and as golden file
// of a cast.

/// Inputs first..last, by their patterns in ascending order, all become `code`.
struct CodeRun {
  uint64_t first, last;
  uint32_t code;
  bool operator==(const CodeRun&) const = default;
};

/// Runs that cover all inputs in ascending order, without gaps; adjacent runs have different codes. A cast is monotone between
/// the places where a rule changes, so the ends of runs are found by bisection.
std::vector<CodeRun> runs_of(const CastProfile& profile);

/// A run of inputs that get code `a` in one cast and `b` in the other.
struct RunDifference {
  uint64_t first, last;
  uint32_t a, b;
  bool operator==(const RunDifference&) const = default;
};

/// The differences between two complete lists of runs. Adjacent differences with the same two codes are merged.
std::vector<RunDifference> differences(const std::vector<CodeRun>& a, const std::vector<CodeRun>& b);

/// Total number of inputs.
double inputs_of(const std::vector<RunDifference>& differences);

/// The code of one input.
uint32_t code_at(const std::vector<CodeRun>& runs, uint64_t input);

/// Why the runs are not a complete list for that source: a gap, an overlap, or adjacent runs with equal codes. Empty if they are
/// complete.
std::string flaw_of(const std::vector<CodeRun>& runs, const CastSource& source);

// Mutants of a cast, for mutation analysis and diagnosis.

struct CastNeighbour {
  std::string name;  ///< such as "rounding: nearest_even -> toward_zero"
  CastProfile profile;        ///< with one cell edited, or one additional step
  std::vector<CodeRun> runs;  ///< the result for all inputs
};

/// Mutants that change the code of at least one input of the source format. `known`: all casts, whose anomalies are plausible
/// mistakes.
std::vector<CastNeighbour> cast_neighbours(const CastProfile& profile, const std::vector<CastProfile>& known);

}  // namespace assay
