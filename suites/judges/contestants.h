// The kernels to test: from the libraries in one folder.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "suites/judges/contest.h"

namespace assay::judges {

/// Libraries with kernels.
struct Libraries {
  std::string faulty_path;
  Backend cpu, faulty, varied, zero;
  std::deque<Backend> of_ranks;

  explicit Libraries(const std::string& folder);

  /// State that a kernel of ranks leaves in the flags of its group is not seen by others.
  const Backend* with_groups_of_its_own();
};

/// The healthy library of a folder.
std::string healthy_library(const std::string& folder);

/// Faults of libassay_faulty.so except races (whose outputs vary), mistakes that are not mutants, all-zero outputs, healthy
/// kernels that use the freedom of their contracts, and pairs of contracts that rules compare.
std::vector<Contestant> contestants(Libraries& libraries, const std::string& root, const std::vector<Rule>& rules);

}  // namespace assay::judges
