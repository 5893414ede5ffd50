// Who stands before the judges: kernels of the libraries that lie in one folder.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "suites/judges/contest.h"

namespace assay::judges {

/// The libraries that kernels come from.
struct Libraries {
  std::string faulty_path;
  Backend cpu, faulty, varied, zero;
  std::deque<Backend> of_ranks;

  explicit Libraries(const std::string& folder);

  /// What a kernel of ranks leaves in the flags of its group, no other finds.
  const Backend* with_groups_of_its_own();
};

/// The healthy library among those of a folder.
std::string healthy_library(const std::string& folder);

/// Faults of libassay_faulty.so but races, whose numbers change; mistakes that are no edit of a contract; outputs of zeros;
/// healthy kernels that use the freedom of their contracts, and pairs of contracts that rules compare.
std::vector<Contestant> contestants(Libraries& libraries, const std::string& root, const std::vector<Rule>& rules);

}  // namespace assay::judges
