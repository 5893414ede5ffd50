// One case of op all_reduce, parsed and validated.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/op.h"
#include "reference/flow/rank_reduce/rank_reduce.h"
#include "suites/rows/case_cells.h"

namespace assay {

/// Generator for warm-up calls: integers of magnitude 1 to 15. Their sums are exact and differ from the result of the case.
inline constexpr const char* kFillBefore = "rank_integers";

/// How the group of a case was or is used.
enum class RankUse {
  kPlain,
  kAlternating,  ///< every second warm-up call has twice the rows, including the last one
  kWrapping,     ///< call and barrier counters start four below their wrap
  kInPlace,      ///< y uses the memory of x
  kStraggler,    ///< the last rank but one arrives at every barrier after all others
  kInARow        ///< ranks do not wait between calls, and one more call follows the last
};
/// The cell's text, such as "alternating"; empty for kPlain.
const char* name(RankUse use);

struct RankCase {
  RankReduce contract;
  int ranks = 2;
  int64_t m = 0, n = 0;
  const Format* x = nullptr;
  std::string fill;
  int64_t shift = 0;   ///< elements between an aligned address and the tensors
  int64_t before = 0;  ///< number of warm-up calls with other inputs
  RankUse use = RankUse::kPlain;
  uint64_t seed = 0;
  int warp = 0;

  const std::string& id() const { return contract.row->id; }
  int64_t elements() const { return m * n; }
};

/// Throws TableError naming row and column: a contract that is not an all-reduce, or ranks, formats or sizes that it does not
/// support.
RankCase read_rank_case(const Case& c);
/// The same for a contract that the case's own contract refers to, in a composed op.
RankCase read_rank_case(const Cells& cells, const ContractRow& contract);

/// x and y of each rank, and the warm-up calls.
Problem rank_problem(const RankCase& c);

/// The inputs of a problem and of the last warm-up call, in the reference's form.
RankInputs rank_inputs(const RankCase& c, const Problem& problem);

/// The values of a rank's tensor, in row-major order.
std::vector<double> values_of_rank(const std::vector<HostTensor>& tensors, const std::string& role, int rank);

// The accepted outputs of a case on every rank, and its mutants.

/// Violations of the rule that all ranks return the same bits. `parts`: `of_rank` parts of rank 0, then as many of each other
/// rank. `apart`: segments whose owner may return other bits than the other ranks.
std::vector<Violation> rank_differences(const std::vector<Part>& parts, size_t of_rank, const std::vector<HostTensor>& outputs,
                                        const std::vector<RankSegment>& apart = {});

/// y of each rank, and one rule: equal bits on all ranks.
Expectation expect_ranks(const RankCase& c, const RankReduce& contract, const Problem& problem);

std::vector<Hypothesis> rank_hypotheses(const RankCase& c);

// Text about all-reduces: the trace of one element, and common properties of wrong elements.

/// Trace of an element: its owner, the value of each rank in the order of additions, every partial sum, the result.
std::vector<std::string> trace_ranks(const RankCase& c, const Problem& problem, int64_t row, int64_t column);

/// For wrong outputs: the affected ranks, and the affected owners' segments.
std::vector<std::string> rank_remarks(const RankCase& c, const Problem& problem, const std::vector<HostTensor>& outputs);

/// What all wrong elements hold instead of the sum: results of the previous call, sums of old and new values, the rank's own
/// values, or unwritten memory. Empty if no single explanation fits all of them.
std::string rank_situation(const RankCase& c, const Problem& problem, const std::vector<HostTensor>& outputs);

// The bound case of all_reduce, alone and as the first step of fused ops.

class BoundRanks : public BoundCase {
 public:
  BoundRanks(RankCase c, CaseName name) : c_(std::move(c)), name_(std::move(name)) {}

  const RankCase& rank_case() const { return c_; }

  CaseName name() const override { return name_; }
  Problem problem() const override { return rank_problem(c_); }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override;
  std::vector<Hypothesis> mutants() const override;
  std::unique_ptr<const BoundCase> excerpt() const override;
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
