// A case of op all_reduce_rms_norm: each rank holds some columns of every row, and the norm of a row needs all of them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "reference/flow/rank_reduce/rank_norm.h"
#include "suites/rows/row_op.h"

namespace assay {

/// One matrix of a call: the names of its tensors on each rank, and the norm of its whole rows.
struct ShardedMatrix {
  std::string x, gamma, y;
  std::shared_ptr<const BoundRows> norm;  ///< a case whose x has the columns of all ranks

  const RowCase& rows() const { return norm->row_case(); }
};

struct ShardedCase {
  RankSquares contract;
  std::shared_ptr<const Contract> whole;  ///< the contract for whole rows
  int ranks = 2;
  const Format* x = nullptr;
  int64_t before = 0;  ///< number of warm-up calls with other inputs
  uint64_t seed = 0;
  std::vector<ShardedMatrix> matrices;  ///< one matrix, or two: q and k

  const std::string& id() const { return contract.row->id; }
  int64_t rows() const { return matrices.front().rows().m; }
  int64_t columns(const ShardedMatrix& matrix) const { return matrix.rows().n / ranks; }  ///< columns that each rank has
  /// This case with `rows` rows.
  ShardedCase with_rows(int64_t rows) const;
};

/// Throws TableError for another contract, unsupported ranks or formats, or columns that are not whole 16-byte packets per rank.
ShardedCase read_sharded_case(const Case& c);

/// The call: x, gamma and y of each matrix on each rank, and the warm-up calls.
Problem sharded_problem(const ShardedCase& c);

/// The call of the norm of whole rows of a matrix, with the columns of all ranks.
Problem whole_problem(const ShardedCase& c, const ShardedMatrix& matrix, const Problem& problem);
/// The outputs y of all ranks as one tensor.
HostTensor whole_output(const ShardedCase& c, const ShardedMatrix& matrix, const std::vector<HostTensor>& outputs);

/// The accepted outputs of a case.
Expectation expect_sharded(const ShardedCase& c, const Problem& problem, const std::vector<HostTensor>* outputs);

std::vector<Hypothesis> sharded_hypotheses(const ShardedCase& c);

/// The text of a cause ("... whose r uses some ranks' sums of squares of the call before") if, in every row with wrong elements,
/// some ranks' sums of squares from the previous call explain r. Otherwise empty.
std::string sharded_situation(const ShardedCase& c, const Problem& problem, const std::vector<HostTensor>& outputs);

// Divides the accepted outputs of whole rows among the ranks that hold the columns.

/// Computes the accepted outputs of a norm from its call and, if given, the stored outputs.
using NormAnswer = std::function<Expectation(const Problem&, const std::vector<HostTensor>*)>;

/// The output y of each matrix on each rank.
std::vector<Part> sharded_parts(const ShardedCase& c, const std::string& justification);

/// The accepted outputs of each rank: its columns of the norms of whole rows. `norms` has one norm for each matrix.
Expectation of_norms(const ShardedCase& c, const Problem& problem, const std::vector<HostTensor>* outputs,
                     const std::vector<NormAnswer>& norms);

}  // namespace assay
