// What the inputs of a witness are chosen from: cases of one contract, what it makes of them, and the rows that can be taken
// alone.
#pragma once

#include <vector>

#include "harness/core/op.h"

namespace assay {

/// Of all its tensors, those that are changed in place twice.
int64_t bytes_of(const Problem& problem);

struct Candidate {
  const Case* one;
  std::shared_ptr<const BoundCase> bound;
  Problem problem;
  std::vector<WholePart> right;  ///< what the contract makes of it
  int64_t batch;                 ///< rows that can be taken alone; 1: the case is taken whole

  /// The row of the batch that a row of a part belongs to.
  int64_t batch_row(const Part& part, int64_t row) const;
  /// The row whose outputs have the most different codes.
  int64_t richest_row() const;
};

/// Each case once whatever its warp, those with the smallest rows first, without those that have more bytes than `most_bytes`.
std::vector<Candidate> candidates_of(const Op& op, const std::vector<Case>& cases, int64_t most_bytes);

}  // namespace assay
