// Chooses inputs to record: from the cases of a contract, as few rows as possible that kill every mutant that can be killed, plus
// one row of each kind of data.
#pragma once

#include <string>
#include <vector>

#include "harness/witness/witness.h"

namespace assay {

struct Chosen {
  Witness witness;                  ///< only the inputs
  int64_t edits = 0;                ///< mutants that some data could kill
  std::vector<std::string> unseen;  ///< of those: mutants that none of the chosen inputs kills
};

/// `cases` belong to one op and one contract; those that differ only in warp size count once. If rows of the op are independent,
/// single rows are taken; otherwise whole cases. Mutants that move elements, such as those of a layout, need whole cases. Cases
/// larger than `most_bytes` are skipped.
Chosen choose_inputs(const Op& op, const std::vector<Case>& cases, int64_t most_bytes);

}  // namespace assay
