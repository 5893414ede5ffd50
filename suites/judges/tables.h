// Results as Markdown tables, and violated requirements.
#pragma once

#include <string>
#include <vector>

#include "suites/judges/contest.h"

namespace assay::judges {

struct Entry {
  Contestant contestant;
  Marks marks;
};

/// Two tables: each rule over all kernels, and each faulty kernel against the rules of its kind.
std::string tables(const std::vector<Rule>& rules, const std::vector<Entry>& entries);

/// A fault that Assay's own cases miss, a healthy kernel that Assay rejects, or a rule that applies to no kernel.
std::vector<std::string> complaints(const std::vector<Rule>& rules, const std::vector<Entry>& entries);

}  // namespace assay::judges
