// Whether a case could show a fault: the answer of a single-step edit of the contract, held against what the contract accepts.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "harness/compare/power.h"
#include "harness/core/bound_case.h"

namespace assay {

struct Visibility {
  std::string fault;       ///< name of the edit
  std::string equivalent;  ///< why no data can tell it apart; empty for a real fault
  int64_t elements = 0;    ///< in all outputs
  int64_t outside = 0;     ///< that no legal kernel could return; 0: this data is blind to the fault

  bool visible() const { return outside > 0; }
};

/// What the data of a case's excerpt can show.
struct VisibilityReport {
  std::vector<Visibility> faults;  ///< every neighbour of the contract
  std::vector<DataPower> data;     ///< every output tensor
};

/// Judged from the inputs of the case's excerpt alone.
VisibilityReport fault_visibility(const BoundCase& bound);

/// Elements of one part that tell an edit apart from the contract: no code is in both accepted sets. `rows`, unless null, gets
/// the rows that they stand in, if the edit leaves elements in their places; of an edit that moves them no row is known.
int64_t elements_apart(const WholePart& right, const WholePart& edited, std::set<int64_t>* rows = nullptr);

/// Whether an element tells an edit's answer apart from each of the contract's, computed until one does.
bool tells_apart(const std::vector<std::vector<WholePart>>& right, const Answer& edited);

/// The faults of fault_visibility().
std::vector<Visibility> visibilities(const BoundCase& bound);

/// fault_visibility() in short, sooner: true equivalences are no faults, most edits show in the first row, and those that the
/// case declares unseen are looked for in that row alone: whether a declaration is stale, suites_test says, which looks at all
/// rows. `declared`: globs over the mutants that its row declares unseen. `made`: the problem of the case, if it is there already.
Power power_of(const BoundCase& bound, const std::vector<std::string>& declared, const Problem* made = nullptr);
/// The same with Power::seen_later, as golden/power records it.
Power power_to_record(const BoundCase& bound, const std::vector<std::string>& declared);

}  // namespace assay
