// One case of op cast, parsed and validated: a cast, its source format and the inputs. Also its sweep over every fp32 input, and
// text about casts.
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

/// The reference's result for a cast, shared by all cases with that cast.
struct CastTruth {
  CastProfile profile;  ///< for the case's source format
  std::vector<CodeRun> runs;
  std::vector<CastNeighbour> neighbours;
};

enum class CastInputs {
  kBorders,  ///< both sides of every place where the code of the cast or of a mutant changes, and a sample
  kAll       ///< every input
};

struct CastCase {
  const ContractRow* row = nullptr;
  const CastSource* from = nullptr;  ///< format of x
  CastInputs inputs = CastInputs::kAll;
  int warp = 0;
  /// Shape of x, which then holds some inputs in a mixed order. n = 0: all inputs, ascending, in rows of kCastColumns.
  int64_t m = 0, n = 0;

  /// Computed on first use, so that a case that is not run costs nothing.
  const CastTruth& truth() const;

  /// Whether the case has all fp32 inputs, which are too many for one tensor.
  bool is_sweep() const { return inputs == CastInputs::kAll && from->bits > 16; }
};

/// Throws TableError naming row and column: a contract that is not a cast, a source format that it does not have, or invalid
/// cells.
CastCase read_cast_case(const Case& c);

/// The inputs of a case that is not a sweep: m * n of them, or all in ascending order, filled up to whole rows of kCastColumns by
/// repeating the last one.
std::vector<uint32_t> inputs_of(const CastCase& c);
inline constexpr int64_t kCastColumns = 256;

// Text about casts: their behaviour, and the inputs on which two differ.

/// "43e80001 = 464.000031"
std::string input_text(const CastSource& source, uint64_t input);

/// "43e80001 .. 7f7fffff = 464.000031 .. 3.40282347e+38"
std::string inputs_text(const CastSource& source, uint64_t first, uint64_t last);

/// "7e = 448"
std::string cast_code_text(const Format& format, uint32_t code);

/// Results for inputs on which implementations differ.
std::vector<std::string> cast_lines(const CastProfile& profile);

/// How many inputs have different codes under two casts of one source format; then one line for each run of these inputs.
std::vector<std::string> difference_lines(const CastProfile& a, const CastProfile& b);

// Compares the codes of a kernel, as runs of inputs, with the contract and its mutants.

/// Disagreements as text, one run per line; at most a dozen, then the number of further ones.
std::vector<std::string> disagreements_in_words(const CastProfile& profile, const std::vector<RunDifference>& found);

/// Mutants that explain a kernel's codes for all inputs, best first. Each explains at least half of the failing inputs, and more
/// than it contradicts.
std::vector<Cause> causes_of(const CastTruth& truth, const std::vector<CodeRun>& given);

// A cast of every fp32 input: called in blocks, compared as runs.

/// Implements BoundCase::judge_sweep for casts.
void sweep_cast(const CastCase& c, const SweepCalls& calls, Verdict& verdict);

}  // namespace assay
