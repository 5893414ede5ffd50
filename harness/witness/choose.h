// Chooses the inputs of a witness: of the cases of one contract as few rows as show every mutant that they can show,
// and of each kind of data a row.
#pragma once

#include <string>
#include <vector>

#include "harness/witness/witness.h"

namespace assay {

struct Chosen {
  Witness witness;                  ///< inputs alone
  int64_t edits = 0;                ///< that some data could tell from the contract
  std::vector<std::string> unseen;  ///< of those: what none of the chosen inputs shows
};

/// `cases`: all of one op and one contract; those that differ in warp alone count once. Rows are taken out of a case where the
/// op's rows do not depend on each other, else it is taken whole. An edit that moves elements, such as one of a layout, is shown
/// by whole cases. Cases whose tensors have more bytes than `most_bytes` are left out.
Chosen choose_inputs(const Op& op, const std::vector<Case>& cases, int64_t most_bytes);

}  // namespace assay
