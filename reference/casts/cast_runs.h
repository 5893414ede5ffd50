// All inputs of a cast as runs with one code, and mutants of casts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reference/casts/cast_profile.h"

namespace assay {

// A cast over all its inputs, as runs: consecutive input patterns that get the same code. Tests and golden files use it as the
// expected result of a cast.

/// All inputs with the patterns first .. last get `code`.
struct CodeRun {
  uint64_t first, last;
  uint32_t code;
  bool operator==(const CodeRun&) const = default;
};

/// Runs that cover all inputs in ascending order, without gaps. Adjacent runs have different codes. Bisection finds the ends of
/// runs, since a cast is monotone between the places where its rules change.
std::vector<CodeRun> runs_of(const CastProfile& profile);

/// A run of inputs that get code `a` in one cast and `b` in the other.
struct RunDifference {
  uint64_t first, last;
  uint32_t a, b;
  bool operator==(const RunDifference&) const = default;
};

/// The differences between two lists of runs that both cover all inputs. Adjacent differences with the same two codes are merged.
std::vector<RunDifference> differences(const std::vector<CodeRun>& a, const std::vector<CodeRun>& b);

/// Total number of inputs in these differences.
double inputs_of(const std::vector<RunDifference>& differences);

/// The code of one input, looked up in the runs.
uint32_t code_at(const std::vector<CodeRun>& runs, uint64_t input);

/// Why the runs do not describe all inputs of the source: a gap, an overlap, or adjacent runs with equal codes. Empty if they
/// do.
std::string flaw_of(const std::vector<CodeRun>& runs, const CastSource& source);

// Mutants of a cast.

struct CastNeighbour {
  std::string name;  ///< such as "rounding: nearest_even -> toward_zero"
  CastProfile profile;        ///< with one cell changed, or one additional step
  std::vector<CodeRun> runs;  ///< the result for all inputs
};

/// Mutants that change the code of at least one input of the source format. `known`: all casts. The anomalies of each are
/// plausible mistakes of the others.
std::vector<CastNeighbour> cast_neighbours(const CastProfile& profile, const std::vector<CastProfile>& known);

}  // namespace assay
