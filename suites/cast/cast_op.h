// A case of op cast, parsed and checked: a cast, its source format and its inputs. Also the sweep over all fp32 inputs, and text
// about casts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/case.h"
#include "harness/diagnosis/diagnose.h"
#include "reference/casts/cast_profile.h"
#include "reference/casts/cast_runs.h"

namespace assay {

/// The reference's results for a cast. All cases with the same cast share them.
struct CastTruth {
  CastProfile profile;  ///< for the case's source format
  std::vector<CodeRun> runs;
  std::vector<CastNeighbour> neighbours;
};

enum class CastInputs {
  kBorders,  ///< the inputs on both sides of each point where the code of the cast or of a mutant changes, and a sample
  kAll       ///< every input
};

struct CastCase {
  const ContractRow* row = nullptr;
  const CastSource* from = nullptr;  ///< format of x
  CastInputs inputs = CastInputs::kAll;
  int warp = 0;
  /// Shape of x, which holds some inputs in mixed order. n = 0: x holds all inputs in ascending order, in rows of kCastColumns.
  int64_t m = 0, n = 0;

  /// Computed at the first use, so that cases that do not run cost nothing.
  const CastTruth& truth() const;

  /// Whether the case has all 2^32 fp32 inputs, which are too many for one tensor.
  bool is_sweep() const { return inputs == CastInputs::kAll && from->bits > 16; }
};

/// Throws TableError with row and column for a contract that is not a cast, a source format that it does not have, or an invalid
/// cell.
CastCase read_cast_case(const Case& c);

/// The inputs of a case that is not a sweep: m * n inputs, or all in ascending order. In the second case the last input is
/// repeated until the last row has kCastColumns elements.
std::vector<uint32_t> inputs_of(const CastCase& c);
inline constexpr int64_t kCastColumns = 256;

// Text about casts: what they return, and inputs for which two casts differ.

/// "43e80001 = 464.000031"
std::string input_text(const CastSource& source, uint64_t input);

/// "43e80001 .. 7f7fffff = 464.000031 .. 3.40282347e+38"
std::string inputs_text(const CastSource& source, uint64_t first, uint64_t last);

/// "7e = 448"
std::string cast_code_text(const Format& format, uint32_t code);

/// The results for inputs on which implementations of casts differ.
std::vector<std::string> cast_lines(const CastProfile& profile);

/// For two casts from one source format: the number of inputs with different codes, then a line for each run of such inputs.
std::vector<std::string> difference_lines(const CastProfile& a, const CastProfile& b);

// Compares a kernel's codes with the contract and its mutants, as runs: consecutive inputs with the same code.

/// Wrong codes as text, a run per line. After twelve lines, one line says how many more there are.
std::vector<std::string> disagreements_in_words(const CastProfile& profile, const std::vector<RunDifference>& found);

/// The mutants that explain a kernel's codes, best first. Each explains at least half of the wrong inputs, and more inputs than
/// it contradicts.
std::vector<Cause> causes_of(const CastTruth& truth, const std::vector<CodeRun>& given);

// A sweep: a cast of every fp32 input, called block by block and compared as runs.

/// Implements BoundCase::judge_sweep for casts.
void sweep_cast(const CastCase& c, const SweepCalls& calls, Verdict& verdict);

}  // namespace assay
