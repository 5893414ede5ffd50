// Mutation score of a case table: what all cases of a contract expose together. Tables of users are checked as a whole, so that a row need
// not list what another row exposes.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/case.h"
#include "harness/core/op.h"

namespace assay {

/// A case and the mutation score of its data.
struct ScoredCase {
  const Case* one;
  const Power* power;
};

/// Whether the case belongs to a table of a user.
bool is_of_own_table(const Case& one);

/// Names of the mutants that a mutation score of this case counts.
std::vector<std::string> counted_mutants(const BoundCase& bound);

/// Mutants that none of these cases of one contract exposes, except those that every case which misses them lists in `blind_to`.
/// `mutants_of`: counted_mutants() of a case; it is called only until every candidate is exposed.
std::vector<std::string> missed_by_all(const std::vector<ScoredCase>& cases, const std::function<std::vector<std::string>(const Case&)>& mutants_of);

/// "none of its 3 cases exposes", for what missed_by_all() returns.
std::string missed_words(size_t cases);

/// One untrusted verdict for each kernel and contract of a user's table whose cases miss a mutant together, if a case passed. It names the
/// table in place of a case. `cases`: all cases of the tables, of which each has verdicts.
std::vector<Verdict> untrusted_tables(std::span<const Op> ops, const std::vector<Case>& cases, const std::vector<Verdict>& verdicts);

}  // namespace assay
