// Mutation score of a case table: what all cases of a contract expose together. Tables of users are checked as a whole, so that a
// row need not list what another row exposes.
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
std::vector<std::string> missed_by_all(const std::vector<ScoredCase>& cases,
                                       const std::function<std::vector<std::string>(const Case&)>& mutants_of);

/// "none of its 3 cases exposes", for what missed_by_all() returns.
std::string missed_words(size_t cases);

/// What the column `blind_to` excuses in the cases of one contract together.
struct TableExcuses {
  std::string op, contract;
  std::vector<std::string> mutants;  ///< those that a mutation score of some case counts
  std::vector<std::string> excused;  ///< the mutants among them that no case exposes, and that each case which misses them lists
  std::vector<std::string> idle;     ///< globs of `blind_to` that match no mutant of any case

  bool excuses_all() const { return !mutants.empty() && excused.size() == mutants.size(); }
};
TableExcuses excuses_of(const Op& op, const std::vector<ScoredCase>& cases);

/// Of each contract of a user's table with a mutation score. Arguments as of untrusted_tables().
std::vector<TableExcuses> excuses_of_tables(std::span<const Op> ops, const std::vector<Case>& cases,
                                            const std::vector<Verdict>& verdicts);

/// "`blind_to` excuses all 16 mutants: no mistake of a kernel would be seen", for TableExcuses::excuses_all().
std::string excuses_all_words(const TableExcuses& excuses);

/// "2 of 16 mutants of acme.rms_norm: r: drop add(eps); ...", for TableExcuses::excused.
std::string excused_words(const TableExcuses& excuses);

/// "no mutant matches `r: no such*` in `blind_to`", for TableExcuses::idle.
std::string idle_globs_words(const TableExcuses& excuses);

/// One untrusted verdict for each kernel and contract of a user's table whose cases miss a mutant together or excuse all, if a
/// case passed. It names the table in place of a case. `cases`: all cases of the tables, of which each has verdicts.
std::vector<Verdict> untrusted_tables(std::span<const Op> ops, const std::vector<Case>& cases,
                                      const std::vector<Verdict>& verdicts);

}  // namespace assay
