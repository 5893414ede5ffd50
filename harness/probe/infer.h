// From an instruction that can be asked to the row of units.csv that it obeys.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/probe/unexplained.h"

namespace assay {

/// Values of a parameter that cannot be told from the one found: a search over the data of separate.h found no input that does.
struct NotObservable {
  std::string cell, what;  ///< "align(25) truncate .. align(28) truncate"
};

struct Probed {
  std::shared_ptr<const Instruction> instruction;
  Unit unit;                         ///< the best one; it explains everything if nothing is unexplained
  std::vector<std::string> remarks;  ///< what no row can say
  std::vector<Unexplained> unexplained;
  std::vector<NotObservable> not_observable;  ///< of a unit that explains everything
  int64_t elements = 0;                       ///< that were looked at
  int64_t checked = 0;                        ///< of those, random ones after the unit was found

  bool known() const { return unexplained.empty() && remarks.empty(); }
};

struct ProbeEffort {
  int64_t elements = 1024;  ///< of each kind of inputs, before the unit is found
  int64_t checked = 2048;   ///< and behind it
  uint64_t seed = 1;
};

/// Asks until one unit is left, then holds it against random inputs of every kind. Units that differ in one parameter and explain
/// all that was seen are told apart by inputs on which they differ; where none is found they are one. Throws ProbeError if the
/// instruction gives no answer.
Probed probe_unit(const Instruction& instruction, const Ask& ask, const ProbeEffort& effort = {});

}  // namespace assay
