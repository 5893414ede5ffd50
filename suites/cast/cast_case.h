// One case of op cast, read and checked: a profile, the format it starts from, and which inputs it is tried on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "reference/casts/cast_runs.h"

namespace assay {

/// What the reference knows of a cast, made once for all cases that share it.
struct CastTruth {
  CastProfile profile;  ///< from the case's own format
  std::vector<CodeRun> runs;
  std::vector<CastNeighbour> neighbours;
};

enum class CastInputs {
  kBorders,  ///< both sides of every place where the code changes, in the profile or in one of its neighbours, and a sample
  kAll       ///< every input there is
};

struct CastCase {
  const ContractRow* row = nullptr;
  const CastSource* from = nullptr;  ///< format of x
  CastInputs inputs = CastInputs::kAll;
  int warp = 0;

  /// Computed at its first use, so that a case that is not run costs nothing.
  const CastTruth& truth() const;

  /// More inputs than one tensor should hold: all of fp32.
  bool is_sweep() const { return inputs == CastInputs::kAll && from->bits > 16; }
};

/// Throws TableError naming row and column: a contract that is no cast, a format that it does not start from, other words.
CastCase read_cast_case(const Case& c);

/// The inputs of a case that is no sweep, ascending, as many as fill whole rows of kCastColumns; the last is repeated.
std::vector<uint32_t> inputs_of(const CastCase& c);
inline constexpr int64_t kCastColumns = 256;

}  // namespace assay
