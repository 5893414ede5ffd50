// Problems of several ranks for the toy library.
#pragma once

#include <utility>
#include <vector>

#include "harness/core/call.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"

namespace assay::testing {

/// x of rank r holds the 8-bit code r + 1 everywhere.
inline Problem problem_of(int ranks, int64_t n = 8) {
  Problem problem;
  problem.ranks = ranks;
  for (int rank = 0; rank < ranks; ++rank) {
    for (HostTensor& tensor : toy_problem(kE8M0, 1, n).tensors) {
      tensor.spec.rank = rank;
      for (int64_t i = 0; i < n && tensor.spec.role == Role::kInput; ++i) tensor.set_code(i, uint32_t(rank + 1));
      problem.tensors.push_back(std::move(tensor));
    }
  }
  return problem;
}

inline std::vector<int> codes_of(const HostTensor& tensor) {
  std::vector<int> codes;
  for (int64_t i = 0; i < tensor.spec.elements(); ++i) codes.push_back(int(tensor.code(i)));
  return codes;
}

}  // namespace assay::testing
