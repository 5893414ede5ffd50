// All inputs of a cast as runs that give one code, and casts with one mistake.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reference/casts/cast_profile.h"

namespace assay {

// A cast over all its inputs, as runs: neighbouring patterns that get one code. Truth and golden file of a cast.

/// Inputs first..last, by their patterns in ascending order, all become `code`.
struct CodeRun {
  uint64_t first, last;
  uint32_t code;
  bool operator==(const CodeRun&) const = default;
};

/// All inputs in order, without a gap; neighbouring runs differ. Between the places where a rule changes, a cast is monotone:
/// ends of runs are found by bisection.
std::vector<CodeRun> runs_of(const CastProfile& profile);

/// Inputs that become `a` here and `b` there.
struct RunDifference {
  uint64_t first, last;
  uint32_t a, b;
  bool operator==(const RunDifference&) const = default;
};

/// Where two complete lists of runs differ; neighbours with the same two codes are one.
std::vector<RunDifference> differences(const std::vector<CodeRun>& a, const std::vector<CodeRun>& b);

/// Number of inputs in all of them.
double inputs_of(const std::vector<RunDifference>& differences);

/// The code of one input.
uint32_t code_at(const std::vector<CodeRun>& runs, uint64_t input);

/// Why these are not the runs of all inputs of that source: a gap, an overlap, neighbours of one code. Empty if they are.
std::string flaw_of(const std::vector<CodeRun>& runs, const CastSource& source);

// Every mutant of a cast: what a fault of it can be, and what a failure is compared with.

struct CastNeighbour {
  std::string name;  ///< "rounding: nearest_even -> toward_zero"
  CastProfile profile;        ///< with one cell edited, or one step more
  std::vector<CodeRun> runs;  ///< what becomes of all inputs
};

/// Mistakes that change the code of at least one input of the profile's source. `known` are all profiles: their anomalies are
/// mistakes that were made before.
std::vector<CastNeighbour> cast_neighbours(const CastProfile& profile, const std::vector<CastProfile>& known);

}  // namespace assay
