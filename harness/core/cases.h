// From suites/<op>/cases/*.csv to the list of cases: expand, check, select.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/op.h"

namespace assay {

/// Tier of a case table: its file name up to the first '_' or '.', so quick_models.csv belongs to "quick".
std::string tier_of(const std::string& file_name);

/// Expands one table of an op. A cell may list alternatives, `32|64`; a row stands for the product of its cells' alternatives.
/// `why` and `blind_to` (globs separated by ';') are taken as they are.
/// A column `op` may be there and then names the op. Throws TableError with file, line and column: unknown or missing columns, an
/// empty alternative, what the op refuses.
std::vector<Case> expand_table(const Op& op, const std::string& text, const std::string& file);

/// All tables of all ops under `root`/suites/<op>/cases, in the order of `ops`, then of file names, then of rows.
/// Origins name the files relative to `root`. Throws TableError also if two rows expand to one id, naming both rows.
std::vector<Case> load_cases(std::span<const Op> ops, const std::string& root);

/// Rows of a user's own, whatever the file is called: a column `op` names the op of each row, else all are of `op`. A row's cells in
/// columns that only other ops have are empty. The tier is "own". Throws TableError; UsageError if nothing names the op.
std::vector<Case> load_own_cases(std::span<const Op> ops, const std::string& text, const std::string& file, const std::string& op);

/// What the command line selects; empty fields select everything.
struct Selection {
  std::vector<std::string> suites{};  ///< "quant_group", "quant_group/quick", or a tier of all ops: "signoff"
  std::vector<std::string> cases{};   ///< globs over ids
  std::string arch{};                 ///< cases whose column `arch` holds this, and those without that column
  std::string warp{};                 ///< the same for `warp`

  bool everything() const { return suites.empty() && cases.empty() && arch.empty() && warp.empty(); }
};

/// The selected cases in their order. Throws UsageError with near matches for a suite or tier that does not exist.
std::vector<Case> select_cases(std::vector<Case> cases, const Selection& selection);

}  // namespace assay
