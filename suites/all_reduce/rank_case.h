// One case of op all_reduce, read and checked: numbers of several ranks, added up on all of them.
#pragma once

#include <string>

#include "harness/core/bound_case.h"
#include "harness/core/case.h"
#include "reference/flow/rank_reduce/rank_reduce.h"
#include "suites/rows/cells.h"

namespace assay {

/// What calls before add up: exact sums of 1 to 15 of either sign, so that nothing of them can pass for what is asked.
inline constexpr const char* kFillBefore = "rank_integers";

/// How the group of a case has been used, or is used.
enum class RankUse {
  kPlain,
  kAlternating,  ///< every second call before has twice the rows, the last of them too
  kWrapping,     ///< counts of calls and barriers begin four before they wrap
  kInPlace,      ///< y has the memory of x
  kStraggler,    ///< the last rank but one comes to every meeting when all others wait for it
  kInARow        ///< each rank goes on to its next call, and behind the last to one more, without a wait
};
/// Its cell: "alternating", "in_a_row"; empty for kPlain.
const char* name(RankUse use);

struct RankCase {
  RankReduce contract;
  int ranks = 2;
  int64_t m = 0, n = 0;
  const Format* x = nullptr;
  std::string fill;
  int64_t shift = 0;   ///< elements between an aligned address and the tensors
  int64_t before = 0;  ///< calls with other numbers that are made first
  RankUse use = RankUse::kPlain;
  uint64_t seed = 0;
  int warp = 0;

  const std::string& id() const { return contract.row->id; }
  int64_t elements() const { return m * n; }
};

/// Throws TableError naming row and column: a contract that adds no ranks, so many ranks, numbers or bytes as it does not take.
RankCase read_rank_case(const Case& c);
/// The same for a contract that the case's own names, of an op that is composed of others.
RankCase read_rank_case(const Cells& cells, const ContractRow& contract);

/// x and y of each rank, and the calls that are made before.
Problem rank_problem(const RankCase& c);

/// The numbers of a problem as the reference takes them, and of the last call before.
RankInputs rank_inputs(const RankCase& c, const Problem& problem);

/// The values of a tensor of a rank, row by row.
std::vector<double> values_of_rank(const std::vector<HostTensor>& tensors, const std::string& role, int rank);

}  // namespace assay
