// Mutation analysis: could a case detect a mutant? Compares the mutant's answer with what the contract accepts.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "harness/compare/power.h"
#include "harness/core/bound_case.h"

namespace assay {

struct Visibility {
  std::string fault;       ///< name of the mutant
  std::string equivalent;  ///< why the mutant is equivalent (no data can detect it); empty otherwise
  int64_t elements = 0;    ///< over all outputs
  int64_t outside = 0;     ///< elements that no correct kernel could return; 0: the data do not kill the mutant

  bool visible() const { return outside > 0; }
};

/// Result for the data of a case's subsample.
struct VisibilityReport {
  std::vector<Visibility> faults;  ///< every mutant of the contract
  std::vector<DataPower> data;     ///< every output tensor
};

/// Computed from the inputs of the case's subsample.
VisibilityReport fault_visibility(const BoundCase& bound);

/// Number of elements of one part that distinguish a mutant from the contract (no code is accepted by both). If `rows` is not
/// null, adds the rows of these elements, provided that the mutant leaves elements in their places.
int64_t elements_apart(const WholePart& right, const WholePart& edited, std::set<int64_t>* rows = nullptr);

/// Whether an element distinguishes a mutant's answer from every answer of the contract. Computes until one does.
bool tells_apart(const std::vector<std::vector<WholePart>>& right, const Answer& edited);

/// Only the mutants of fault_visibility().
std::vector<Visibility> visibilities(const BoundCase& bound);

/// A faster summary of fault_visibility(). Equivalent mutants are left out. Most mutants show in the first row; those that the
/// case declares undetected are tried on that row only. suites_test checks all rows, and so finds stale declarations. `declared`:
/// globs over the mutants that the row declares undetected. `made`: the problem of the case, if it exists already.
Power power_of(const BoundCase& bound, const std::vector<std::string>& declared, const Problem* made = nullptr);
/// As power_of(), plus Power::seen_later, as golden/power records it.
Power power_to_record(const BoundCase& bound, const std::vector<std::string>& declared);

}  // namespace assay
