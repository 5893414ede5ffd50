// Candidate inputs for recorded outputs: cases of one contract with their expected results, and the rows that can be used
// separately.
#pragma once

#include <vector>

#include "harness/core/op.h"

namespace assay {

/// Bytes of all tensors; those changed in place count twice.
int64_t bytes_of(const Problem& problem);

struct Candidate {
  const Case* one;
  std::shared_ptr<const BoundCase> bound;
  Problem problem;
  std::vector<WholePart> right;  ///< accepted answer of the contract
  int64_t batch;                 ///< number of rows that can be used separately; 1: only the whole case can be used

  /// The batch row that a row of a part belongs to.
  int64_t batch_row(const Part& part, int64_t row) const;
  /// The row whose outputs have the most different codes.
  int64_t richest_row() const;
};

/// Each data set once, smallest rows first, without cases larger than `most_bytes`.
std::vector<Candidate> candidates_of(const Op& op, const std::vector<Case>& cases, int64_t most_bytes);

}  // namespace assay
