// Whether a witness is one: its row allows every output, and no mutant of the row does.
#pragma once

#include <string>
#include <vector>

#include "harness/witness/witness.h"

namespace assay {

/// A mutant of the row, compared with all calls of a witness that have it.
struct EditOnWitness {
  std::string name;
  std::string equivalent;  ///< why no data can tell it from the row; empty for a mistake
  int64_t calls = 0;       ///< in which the edit is a mistake
  int64_t outside = 0;     ///< outputs that the edit does not allow, rows of them that contradict each other counted once

  bool refuted() const { return outside > 0; }
  bool survives() const { return equivalent.empty() && outside == 0; }
};

struct WitnessFinding {
  int64_t elements = 0;              ///< outputs of all calls
  int64_t outside = 0;               ///< that the row does not allow, padding and contradictions within a row included
  std::vector<std::string> against;  ///< for each call that the row does not allow: the call and its first wrong element
  std::vector<EditOnWitness> edits;  ///< by name

  bool agrees() const { return outside == 0; }
  int64_t refuted() const;
  std::vector<std::string> survivors() const;
};

/// Without `edits` only the row is compared with the outputs.
WitnessFinding judge_witness(const Op& op, const Witness& witness, bool edits = true);

/// Whether another row allows every output of a witness; false where some call cannot be asked of it.
bool obeys(const Op& op, const Witness& witness, const std::string& contract);

/// Edits of the row that allow every output of the witness: what a release that no longer obeys the row may do now.
std::vector<std::string> edits_that_hold(const Op& op, const Witness& witness);

}  // namespace assay
