// Mutation analysis: could a case detect a mutant? Compares the mutant's answer with what the contract accepts.
#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/case.h"
#include "harness/core/op.h"

namespace assay {

struct Visibility {
  std::string fault;       ///< name of the mutant
  std::string equivalent;  ///< why the mutant is equivalent (no data can detect it); empty otherwise
  int64_t elements = 0;    ///< over all outputs
  int64_t outside = 0;     ///< elements that no correct kernel could return; 0: the data do not kill the mutant

  bool visible() const { return outside > 0; }
};

/// Result for the data of a case's subsample.
struct VisibilityReport {
  std::vector<Visibility> faults;  ///< every mutant of the contract
  std::vector<DataPower> data;     ///< every output tensor
};

/// Compares every mutant with the contract, on the inputs of the case's subsample.
VisibilityReport fault_visibility(const BoundCase& bound);

/// Number of elements of one part that distinguish a mutant from the contract (no code is accepted by both). If `rows` is not
/// null, adds the rows of these elements, provided that the mutant stores elements at the same offsets as the contract.
int64_t elements_apart(const WholePart& right, const WholePart& edited, std::set<int64_t>* rows = nullptr);

/// Whether each answer of the contract has an element that distinguishes the mutant's answer `edited` from it.
bool tells_apart(const std::vector<std::vector<WholePart>>& right, const Answer& edited);

/// fault_visibility() without VisibilityReport::data.
std::vector<Visibility> visibilities(const BoundCase& bound);

/// A faster summary of fault_visibility(). Equivalent mutants are left out. Most mutants show in the first row of the data.
/// `declared` is the case's `blind_to`: globs over mutants that are tried on that first row only. suites_test tries them on all
/// rows, and so finds stale globs. `made`: the problem of the case, if it exists already.
Power power_of(const BoundCase& bound, const std::vector<std::string>& declared, const Problem* made = nullptr);
/// As power_of(), plus Power::seen_later, as golden/power records it.
Power power_to_record(const BoundCase& bound, const std::vector<std::string>& declared);

// Finds data that distinguish two contracts, and the size of the difference.

/// One output tensor under two contracts.
struct SeparatedTensor {
  std::string name;
  int64_t elements = 0, outside = 0;
  int64_t worst_ulps = 0;  ///< largest difference, in ulp of the first contract's format
  double worst_part = 0;   ///< largest difference relative to the larger of the two values
};

/// One data set under two contracts.
struct Separation {
  std::string data;  ///< case id without contract and warp size
  std::vector<SeparatedTensor> tensors;
  std::string witness;  ///< first element that differs, with both codes; empty if none does
};

/// Compares contracts `a` and `b` on the cases of `a` (quick tier, user's tables) that also fit `b`; each data set once.
std::vector<Separation> separate(std::span<const Op> ops, const std::vector<Case>& cases, const std::string& a,
                                 const std::string& b);

/// Whether two problems have the same tensors, layouts and parameters, so that a kernel receives the same call.
bool same_call(const Problem& a, const Problem& b);
/// Whether expect() of the case applies to this call of another contract: a kernel receives the same call under both, or the
/// sizes do not matter (BoundCase::judges_any_sizes()).
bool judges_call(const BoundCase& other, const Problem& problem);

/// The same case and data under another contract; null if that contract lacks the groups or the layout.
std::unique_ptr<const BoundCase> under_contract(const Op& op, const Case& one, const std::string& contract);

// The mutation scores of the case tables as a Markdown table: which input generators kill which mutants.

/// For each op, a table of mutants (rows) by data (columns, mostly input generators). Mutants of one kind with equal results
/// share a row. A cell such as 7/9: nine contracts have the mutant and a case with this data; for seven of them such a case kills
/// it. Below the table: equivalent mutants with their justification. Cases that differ only in warp size count once.
/// `power`: mutation score of a case, as power_to_record() computes it.
std::string power_table(std::span<const Op> ops, const std::vector<Case>& cases, const std::function<Power(const Case&)>& power);

// How much a contract leaves open on realistic shapes: a check that accepts more than necessary is weak.

/// Markdown table over the subsamples of these cases, one row per op, output and format: contracts, elements, and the share of
/// elements with one accepted code. For the loosest contract also: that share, the median and largest interval width in codes.
/// Cases that differ only in warp size count once. Undefined elements lower the share; their width counts as 0.
std::string sharpness_table(std::span<const Op> ops, const std::vector<Case>& cases);

// Mutation score of a case table: what all cases of a contract expose together. Tables of users are checked as a whole, so that a
// row need not list what another row exposes.

/// A case and the mutation score of its data.
struct ScoredCase {
  const Case* one;
  const Power* power;
};

/// Whether the case comes from a user's table (--cases).
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
  std::vector<std::string> mutants;  ///< mutants that the mutation score of at least one case counts
  /// The mutants of `mutants` that no case exposes, and that every case which misses them lists in `blind_to`.
  std::vector<std::string> excused;
  std::vector<std::string> idle;  ///< globs of `blind_to` that match no mutant of any case

  bool excuses_all() const { return !mutants.empty() && excused.size() == mutants.size(); }
};
TableExcuses excuses_of(const Op& op, const std::vector<ScoredCase>& cases);

/// excuses_of() for each contract of a user's table that has a mutation score. For the arguments see untrusted_tables().
std::vector<TableExcuses> excuses_of_tables(std::span<const Op> ops, const std::vector<Case>& cases,
                                            const std::vector<Verdict>& verdicts);

/// "`blind_to` excuses all 16 mutants: no mistake of a kernel would be detected", for TableExcuses::excuses_all().
std::string excuses_all_words(const TableExcuses& excuses);

/// "2 of 16 mutants of acme.rms_norm: r: drop add(eps); ...", for TableExcuses::excused.
std::string excused_words(const TableExcuses& excuses);

/// "no mutant matches `r: no such*` in `blind_to`", for TableExcuses::idle.
std::string idle_globs_words(const TableExcuses& excuses);

/// An untrusted verdict for each kernel and contract of a user's table, if a case passed and the cases together miss a mutant or
/// excuse all mutants. It names the table in place of a case. `cases`: all cases of the tables; each of them has verdicts.
std::vector<Verdict> untrusted_tables(std::span<const Op> ops, const std::vector<Case>& cases,
                                      const std::vector<Verdict>& verdicts);

}  // namespace assay
