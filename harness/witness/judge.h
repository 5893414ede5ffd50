// Checks recorded outputs: the contract must accept all of them, and no mutant of it may.
#pragma once

#include <string>
#include <vector>

#include "harness/witness/witness.h"

namespace assay {

/// A mutant of the contract, compared with all recorded calls that have it.
struct EditOnWitness {
  std::string name;
  std::string equivalent;  ///< why no data can distinguish it from the contract; empty otherwise
  int64_t calls = 0;       ///< calls in which the mutant is not equivalent
  int64_t outside = 0;     ///< outputs that the mutant rejects; a row that breaks a rule counts once

  bool refuted() const { return outside > 0; }
  bool survives() const { return equivalent.empty() && outside == 0; }
};

struct WitnessFinding {
  int64_t elements = 0;              ///< output elements of all calls
  int64_t outside = 0;               ///< elements that the contract rejects, including padding and broken rules within a row
  std::vector<std::string> against;  ///< for each rejected call: the call and its first wrong element
  std::vector<EditOnWitness> edits;  ///< by name

  bool agrees() const { return outside == 0; }
  int64_t refuted() const;
  std::vector<std::string> survivors() const;
};

/// Without `edits` only the contract is compared, not its mutants.
WitnessFinding judge_witness(const Op& op, const Witness& witness, bool edits = true);

/// Whether another contract accepts every recorded output; false if it does not fit some call.
bool obeys(const Op& op, const Witness& witness, const std::string& contract);

/// Mutants of the contract that accept every recorded output: what a release that no longer obeys the contract may compute now.
std::vector<std::string> edits_that_hold(const Op& op, const Witness& witness);

}  // namespace assay
