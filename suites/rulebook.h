// The contract and layout tables of this run: read once, extended by --contracts before anything runs.
#pragma once

#include <string>
#include <vector>

#include "reference/contracts/layouts.h"
#include "reference/contracts/rows.h"

namespace assay {

struct Rulebook {
  ContractTables contracts;
  std::vector<Layout> layouts;

  /// Throws std::out_of_range with near matches.
  const Layout& layout(const std::string& id) const;
};

/// Reads reference/contracts under `root` and the user's own rows. Throws TableError. Call before the first rulebook().
void open_rulebook(const std::string& root, const std::vector<std::string>& more_contracts = {});

/// Throws std::logic_error if none is open.
const Rulebook& rulebook();

}  // namespace assay
