// What the judges found, as tables for a README, and what must not be.
#pragma once

#include <string>
#include <vector>

#include "suites/judges/contest.h"

namespace assay::judges {

struct Entry {
  Contestant contestant;
  Marks marks;
};

/// Two tables: each judge over all kernels, and each faulty kernel before the judges of its kind.
std::string tables(const std::vector<Rule>& rules, const std::vector<Entry>& entries);

/// A fault that Assay's own cases do not show, a healthy kernel that Assay refuses, a rule that met no kernel.
std::vector<std::string> complaints(const std::vector<Rule>& rules, const std::vector<Entry>& entries);

}  // namespace assay::judges
