// A bound row of rope.
#pragma once

#include <string>

#include "reference/recipe/step.h"

namespace assay {

// Quantities that no row can name. Edits put them instead of the right ones.
inline constexpr char kMinusS[] = "-s";
inline constexpr char kEAcross[] = "e half a head apart", kOAcross[] = "o half a head apart";

/// Pairs of a head's numbers turned by an angle; rope.h runs it.
struct Rope {
  std::string row;
  bool interleaved = false;  ///< neighbours are a pair; else a number and the one half of the rotated ones further on
  bool first = true;         ///< the rotated numbers stand at the beginning of the head; else at its end
  Recipe even;               ///< from the first number of a pair, with e and o = the pair, c and s = cosine and sine
  Recipe odd;                ///< from the second
  Recipe rest;               ///< from a number that is in no pair
};

}  // namespace assay
