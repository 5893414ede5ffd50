// Checks whether another release of an implementation still obeys its contract, on the recorded inputs.
#pragma once

#include <string>
#include <vector>

#include "harness/witness/judge.h"

namespace assay {

struct Drift {
  std::string contract, release;  ///< the contract, and the package whose outputs were checked
  int64_t elements = 0, outside = 0;
  std::string against;             ///< the first input that deviates, and its result; empty if the contract is obeyed
  bool same_bits = false;          ///< same bits as the recorded outputs in golden/witness
  bool is_new = false;             ///< there are no recorded outputs
  std::vector<std::string> rows;   ///< other contracts that accept every output; only computed if the own contract does not
  std::vector<std::string> edits;  ///< mutants of the contract that accept every output, if no other contract does

  /// "same bits", "obeys", "obeys, other bits", "12 of 512 differ: vllm.x", "...: div(s) -> mul(1/s)", "...: no row or edit".
  std::string text() const;
};

/// `committed`: the recorded outputs, or nullptr. `contracts`: other contracts to try if the own one fails.
Drift drift_of(const Op& op, const Witness& release, const Witness* committed, const std::vector<std::string>& contracts);

/// Markdown: contracts by release, then one line for each contract that a release does not obey.
std::string drift_table(const std::vector<Drift>& drifts);

}  // namespace assay
