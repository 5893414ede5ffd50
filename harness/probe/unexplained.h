// Results of an instruction that a model does not explain.
#pragma once

#include <string>
#include <vector>

#include "harness/probe/fit.h"

namespace assay {

/// Unexplained results for one kind of input.
struct Unexplained {
  std::string kind, shows;
  int64_t elements = 0, wrong = 0;
  std::string example;  ///< among the first ones, the element with the fewest nonzero products
};

/// By kind of input; kinds without unexplained elements are left out.
std::vector<Unexplained> unexplained_by(const Unit& unit, const Instruction& instruction, const Seen& seen);

}  // namespace assay
