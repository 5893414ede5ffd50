// The behaviour of one implementation of a cast: a row of contracts/casts.csv, and its result for an input.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reference/casts/source.h"
#include "reference/contracts/rows.h"
#include "reference/formats/format.h"
#include "reference/formats/round.h"

namespace assay {

/// The op kind in the registry.
const Flow& cast_flow();

/// Result for a number that does not fit.
enum class Beyond {
  kLargest,             ///< the largest value
  kSpecial,             ///< Inf or NaN, see special_code()
  kSpecialAboveLargest  ///< the same, for every number above the largest value, before rounding
};

enum class Negative {
  kSign,       ///< keeps its sign
  kMagnitude,  ///< its magnitude is used
  kCode        ///< becomes one code
};

/// A step besides the rounding.
struct CastStep {
  enum Kind {
    kRound,   ///< to the nearest number of `format`; beyond it Inf
    kClamp,   ///< to the largest magnitude of `format`, including Inf
    kFlush,   ///< numbers below the normal range of `format` become a zero with their sign
    kAddZero  ///< -0 becomes +0
  } kind;
  const Format* format = nullptr;

  double of(double x) const;
};

/// Inputs of both signs that the rules do not describe: they give a fixed code, or are multiplied by a factor first.
struct Anomaly {
  uint64_t first, last;  ///< unsigned patterns
  std::optional<uint32_t> code;
  double factor = 1;
};

struct CastProfile {
  std::string id;
  const CastSource* from = nullptr;
  const Format* format = nullptr;  ///< format of the codes
  Rounding rounding = Rounding::kNearestEven;
  Beyond overflow = Beyond::kLargest;  ///< for finite numbers
  Beyond infinity = Beyond::kLargest;  ///< for Inf; never kSpecialAboveLargest
  uint32_t nan = 0, minus_nan = 0;     ///< codes of positive and negative NaN
  Negative negative = Negative::kSign;
  uint32_t negative_code = 0;    ///< for kCode
  std::optional<uint32_t> zero;  ///< code of both zeros; if absent, zeros are ordinary numbers
  std::vector<Anomaly> anomalies;
  std::vector<CastStep> before, after;  ///< the rounding; used by mutants only
};

/// Reads a row of casts.csv. Throws TableError naming the cell.
CastProfile read_cast(const ContractRow& row);

/// The cast for a narrower source format that is first widened exactly to the cast's own source, as bf16 and f16 in casts through
/// float. The own source gives the same profile. Throws std::invalid_argument if `source` is not narrower.
CastProfile widened_from(const CastSource& source, const CastProfile& profile);

/// The code of one input.
uint32_t cast(const CastProfile& profile, uint64_t input);

}  // namespace assay
