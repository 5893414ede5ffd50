// From calls of an instruction to the row of units.csv that describes it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/probe/unexplained.h"

namespace assay {

/// Parameter values that cannot be distinguished from the fitted one: a search over the data of separate.h found no such input.
struct NotObservable {
  std::string cell, what;  ///< "align(25) truncate .. align(28) truncate"
};

struct Probed {
  std::shared_ptr<const Instruction> instruction;
  Unit unit;                         ///< the best model; it explains everything if `unexplained` is empty
  std::vector<std::string> remarks;  ///< observations that no table row can express
  std::vector<Unexplained> unexplained;
  std::vector<NotObservable> not_observable;  ///< only for a model that explains everything
  int64_t elements = 0;                       ///< elements compared
  int64_t checked = 0;                        ///< of those: random ones compared after the model was found

  bool known() const { return unexplained.empty() && remarks.empty(); }
};

struct ProbeEffort {
  int64_t elements = 1024;  ///< per kind of input, before the model is found
  int64_t checked = 2048;   ///< after it was found
  uint64_t seed = 1;
};

/// Calls the instruction until a single model is left, then checks it on random inputs of every kind. Models that differ in one
/// parameter and explain all observations are separated by inputs on which they differ; if none is found they count as equal.
/// Throws ProbeError if the instruction does not answer.
Probed probe_unit(const Instruction& instruction, const Ask& ask, const ProbeEffort& effort = {});

}  // namespace assay
