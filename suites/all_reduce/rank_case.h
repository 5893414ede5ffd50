// A case of op all_reduce, parsed and checked; its accepted outputs, mutants and texts.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/op.h"
#include "reference/flow/rank_reduce/rank_reduce.h"
#include "suites/rows/case_cells.h"

namespace assay {

/// Input generator of warm-up calls: integers of magnitude 1 to 15, whose sums are exact and differ from the case's results.
inline constexpr const char* kFillBefore = "rank_integers";

/// How the calls of a case use the group of ranks.
enum class RankUse {
  kPlain,
  kAlternating,  ///< every second warm-up call, and the last one, has twice the rows
  kWrapping,     ///< the counters of calls and barriers begin at 2^32 - 4, so they wrap
  kInPlace,      ///< y uses the memory of x
  kStraggler,    ///< one rank, the last but one, reaches every barrier after all others
  kInARow        ///< ranks do not wait for each other between calls, and one more call follows the checked one
};
/// The text in the case table, such as "alternating"; empty for kPlain.
const char* name(RankUse use);

struct RankCase {
  RankReduce contract;
  int ranks = 2;
  int64_t m = 0, n = 0;
  const Format* x = nullptr;
  std::string fill;
  int64_t shift = 0;   ///< distance of the tensors from an aligned address, in elements
  int64_t before = 0;  ///< number of warm-up calls with other inputs
  RankUse use = RankUse::kPlain;
  uint64_t seed = 0;
  int warp = 0;

  const std::string& id() const { return contract.row->id; }
  int64_t elements() const { return m * n; }
};

/// Throws TableError with row and column if the contract is not an all-reduce, or does not support the ranks, the format or the
/// size.
RankCase read_rank_case(const Case& c);
/// The same for a composed op: `contract` is one of the contracts that the case's contract refers to.
RankCase read_rank_case(const Cells& cells, const ContractRow& contract);

/// The call: x and y of each rank, and the warm-up calls before it.
Problem rank_problem(const RankCase& c);

/// The inputs of the call and of the last warm-up call with the same size, as the reference reads them.
RankInputs rank_inputs(const RankCase& c, const Problem& problem);

/// The values of one rank's tensor `role`, row by row.
std::vector<double> values_of_rank(const std::vector<HostTensor>& tensors, const std::string& role, int rank);

// The outputs that a case accepts on every rank, and its mutants.

/// Violations of the rule that all ranks return the same bits. `parts` holds `of_rank` parts for rank 0, then as many for rank 1,
/// and so on. `apart`: segments whose owner may return other bits than the remaining ranks.
std::vector<Violation> rank_differences(const std::vector<Part>& parts, size_t of_rank, const std::vector<HostTensor>& outputs,
                                        const std::vector<RankSegment>& apart = {});

/// Accepts the sums in y of each rank, and requires that all ranks return the same bits.
Expectation expect_ranks(const RankCase& c, const RankReduce& contract, const Problem& problem);

std::vector<Hypothesis> rank_hypotheses(const RankCase& c);

// Text about all-reduces: the trace of an element, and what wrong elements have in common.

/// The trace of an element: the rank that adds it up, each rank's value in the order of additions, each partial sum, the result.
std::vector<std::string> trace_ranks(const RankCase& c, const Problem& problem, int64_t row, int64_t column);

/// For wrong outputs: the ranks with wrong elements, and the ranks that had to add these elements up.
std::vector<std::string> rank_remarks(const RankCase& c, const Problem& problem, const std::vector<HostTensor>& outputs);

/// What all wrong elements hold instead of the sum, as the text of a cause: the result of the previous call, a sum of old and new
/// values, the rank's own values, or memory that was never written. Empty if no single one of these explains all wrong elements.
std::string rank_situation(const RankCase& c, const Problem& problem, const std::vector<HostTensor>& outputs);

// The parsed case of all_reduce, which is also the first step of fused ops.

class BoundRanks : public BoundCase {
 public:
  BoundRanks(RankCase c, CaseName name) : c_(std::move(c)), name_(std::move(name)) {}

  const RankCase& rank_case() const { return c_; }

  CaseName name() const override { return name_; }
  Problem problem() const override { return rank_problem(c_); }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override;
  std::vector<Hypothesis> mutants() const override;
  std::unique_ptr<const BoundCase> excerpt() const override;
  std::vector<Relation> relations(const Problem& problem) const override;
  std::vector<std::string> formulas() const override;
  std::vector<std::string> trace(const Problem& problem, int64_t row, int64_t column) const override;
  std::vector<std::string> remarks(const Problem& problem, const std::vector<HostTensor>& outputs) const override;
  std::string situation(const Problem& problem, const std::vector<HostTensor>& outputs) const override;
  std::optional<Shrinking> shrinking(const std::map<std::string, int64_t>& multiple_of) const override;

 private:
  const RankCase c_;
  const CaseName name_;
};

}  // namespace assay
