// One case of op cast, parsed and validated: a cast, its source format, and the inputs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/core/case.h"
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

  /// Computed on first use, so that a case that is not run costs nothing.
  const CastTruth& truth() const;

  /// Whether it has more inputs than a tensor should hold: all of fp32.
  bool is_sweep() const { return inputs == CastInputs::kAll && from->bits > 16; }
};

/// Throws TableError naming row and column: a contract that is not a cast, a source format that it does not have, or invalid
/// words.
CastCase read_cast_case(const Case& c);

/// The ascending inputs of a case that is not a sweep, filled up to whole rows of kCastColumns by repeating the last one.
std::vector<uint32_t> inputs_of(const CastCase& c);
inline constexpr int64_t kCastColumns = 256;

}  // namespace assay
