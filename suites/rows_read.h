// Which table rows decide the answers and the mutants of a case, for caches of what was computed from them.
#pragma once

#include <string>

#include "harness/core/case.h"

namespace assay {

/// Digest of every row that the case's answers and mutants are made from: rows that its cells name, rows that those name in turn,
/// sibling instructions of each tensor core, equivalences of these contracts, and all layouts and records. Cells that only inform
/// (source, why, since, until, evidence) and comments are left out. Needs an open rulebook.
std::string rows_read_by(const Case& one);

}  // namespace assay
