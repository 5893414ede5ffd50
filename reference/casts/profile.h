// What one implementation makes of every input of a cast: a row of contracts/casts.csv, and its answer for one input.
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

/// The row of the registry.
const Flow& cast_flow();

/// What becomes of a number that does not fit.
enum class Beyond {
  kLargest,             ///< the largest value
  kSpecial,             ///< Inf or NaN, see special_code()
  kSpecialAboveLargest  ///< the same, and already above the largest value, before any rounding
};

enum class Negative {
  kSign,       ///< keeps its sign
  kMagnitude,  ///< is taken for its magnitude
  kCode        ///< becomes one code
};

/// A step beside the one rounding, on numbers.
struct CastStep {
  enum Kind {
    kRound,   ///< to the nearest number of `format`, beyond it Inf
    kClamp,   ///< to the largest magnitude of `format`, Inf too
    kFlush,   ///< below the normal range of `format` the zero of its sign
    kAddZero  ///< -0 becomes +0
  } kind;
  const Format* format = nullptr;

  double of(double x) const;
};

/// Inputs that the rules do not describe, with those of the other sign: a code, or a factor that the input is multiplied by.
struct Anomaly {
  uint64_t first, last;  ///< patterns without sign
  std::optional<uint32_t> code;
  double factor = 1;
};

struct CastProfile {
  std::string id;
  const CastSource* from = nullptr;
  const Format* format = nullptr;  ///< of the codes
  Rounding rounding = Rounding::kNearestEven;
  Beyond overflow = Beyond::kLargest;  ///< of finite numbers
  Beyond infinity = Beyond::kLargest;  ///< of Inf; never kSpecialAboveLargest
  uint32_t nan = 0, minus_nan = 0;     ///< codes of NaN by its sign
  Negative negative = Negative::kSign;
  uint32_t negative_code = 0;    ///< of kCode
  std::optional<uint32_t> zero;  ///< code of both zeros; without it they are numbers like others
  std::vector<Anomaly> anomalies;
  std::vector<CastStep> before, after;  ///< the rounding; no row has any
};

/// Reads a row of casts.csv. Throws TableError naming the cell.
CastProfile read_cast(const ContractRow& row);

/// The same cast of numbers that are first widened, exactly, to its own source: what becomes of bf16 and f16 in casts that go
/// through float. Its own source gives the profile itself. Throws std::invalid_argument if that source is not narrower.
CastProfile widened_from(const CastSource& source, const CastProfile& profile);

/// The code of one input.
uint32_t cast(const CastProfile& profile, uint64_t input);

}  // namespace assay
