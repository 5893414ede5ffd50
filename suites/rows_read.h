// Finds the table rows that determine the answers and mutants of a case; used as a cache key.
#pragma once

#include <string>

#include "harness/core/case.h"

namespace assay {

/// Digest of all rows that the case's answers and mutants depend on: rows named in its cells, rows that those name in turn,
/// sibling instructions of each tensor core, equivalences of these contracts, and all layouts and records. Informative cells
/// (source, why, since, until, evidence) and comments are excluded. Needs an open contract registry.
std::string rows_read_by(const Case& one);

}  // namespace assay
