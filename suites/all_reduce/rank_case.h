// One case of op all_reduce, parsed and validated.
#pragma once

#include <string>

#include "harness/core/bound_case.h"
#include "harness/core/case.h"
#include "reference/flow/rank_reduce/rank_reduce.h"
#include "suites/rows/cells.h"

namespace assay {

/// Generator for warm-up calls: integers of magnitude 1 to 15, whose sums are exact and differ from the requested result.
inline constexpr const char* kFillBefore = "rank_integers";

/// How the group of a case was or is used.
enum class RankUse {
  kPlain,
  kAlternating,  ///< every second warm-up call has twice the rows, including the last one
  kWrapping,     ///< call and barrier counters start four below their wrap
  kInPlace,      ///< y uses the memory of x
  kStraggler,    ///< the last rank but one arrives at every barrier after all others
  kInARow        ///< each rank starts its next call without a wait, and one more call follows the last
};
/// The text of its cell: "alternating", "in_a_row"; empty for kPlain.
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

}  // namespace assay
