// What an instruction returned that a unit does not.
#pragma once

#include <string>
#include <vector>

#include "harness/probe/fit.h"

namespace assay {

/// Inputs of a kind that the unit does not explain.
struct Unexplained {
  std::string kind, shows;
  int64_t elements = 0, wrong = 0;
  std::string example;  ///< the element with the fewest products among the first
};

/// By kinds of inputs, those without such elements left out.
std::vector<Unexplained> unexplained_by(const Unit& unit, const Instruction& instruction, const Seen& seen);

}  // namespace assay
