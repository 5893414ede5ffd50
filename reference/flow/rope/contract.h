// A bound row of rope.
#pragma once

#include <string>

#include "reference/recipe/step.h"

namespace assay {

/// Pairs of a head's numbers turned by an angle; rope.h runs it.
struct Rope {
  std::string row;
  bool interleaved = false;  ///< neighbours are a pair; else a number and the one half of the rotated ones further on
  bool first = true;         ///< the rotated numbers stand at the beginning of the head; else at its end
  Recipe even;               ///< from the first number of a pair, with e and o = the pair, c and s = cosine and sine
  Recipe odd;                ///< from the second
  Recipe rest;               ///< from a number that stands in no pair
  // The next four differ from these only in neighbours.
  bool sin_negated = false;  ///< turned the other way
  bool exchanged = false;    ///< cosine for sine and sine for cosine
  bool own_partner = false;  ///< each number has itself for a partner
  bool across = false;       ///< the other of a pair lies half a head apart; of those that are rotated and no neighbours
};

}  // namespace assay
