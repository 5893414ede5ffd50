// One case of op all_reduce_rms_norm: the columns of each row are divided between ranks, and all of them determine the norm.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "reference/flow/rank_reduce/rank_norm.h"
#include "suites/rows/row_op.h"

namespace assay {

/// One matrix of a call: its tensor names on each rank, and the norm of its whole rows.
struct ShardedMatrix {
  std::string x, gamma, y;
  std::shared_ptr<const BoundRows> norm;  ///< its x has the columns of all ranks

  const RowCase& rows() const { return norm->row_case(); }
};

struct ShardedCase {
  RankSquares contract;
  std::shared_ptr<const Contract> whole;  ///< the contract for whole rows
  int ranks = 2;
  const Format* x = nullptr;
  int64_t before = 0;  ///< number of warm-up calls with other inputs
  uint64_t seed = 0;
  std::vector<ShardedMatrix> matrices;  ///< one matrix, or q and k

  const std::string& id() const { return contract.row->id; }
  int64_t rows() const { return matrices.front().rows().m; }
  int64_t columns(const ShardedMatrix& matrix) const { return matrix.rows().n / ranks; }  ///< columns per rank
  /// The case with fewer rows.
  ShardedCase with_rows(int64_t rows) const;
};

/// Throws TableError: another contract, unsupported ranks or formats, or columns that are not whole packets on each rank.
ShardedCase read_sharded_case(const Case& c);

/// x, gamma and y of each matrix on each rank, and the warm-up calls.
Problem sharded_problem(const ShardedCase& c);

/// The problem of a matrix's norm, assembled from all ranks.
Problem whole_problem(const ShardedCase& c, const ShardedMatrix& matrix, const Problem& problem);
/// y of all ranks as one tensor.
HostTensor whole_output(const ShardedCase& c, const ShardedMatrix& matrix, const std::vector<HostTensor>& outputs);

/// The accepted outputs of a case.
Expectation expect_sharded(const ShardedCase& c, const Problem& problem, const std::vector<HostTensor>* outputs);

std::vector<Hypothesis> sharded_hypotheses(const ShardedCase& c);

/// "... whose factor has squares of the call before" if this explains all rows with wrong elements: r was computed from sums of
/// squares of the previous call. Otherwise empty.
std::string sharded_situation(const ShardedCase& c, const Problem& problem, const std::vector<HostTensor>& outputs);

// Distributes the answers of norms of whole rows to the ranks that hold their columns.

/// The norm's answer for a problem and stored outputs.
using NormAnswer = std::function<Expectation(const Problem&, const std::vector<HostTensor>*)>;

/// y of each matrix on each rank.
std::vector<Part> sharded_parts(const ShardedCase& c, const std::string& justification);

/// Each rank's columns of the answers of the norms of whole rows, one norm per matrix.
Expectation of_norms(const ShardedCase& c, const Problem& problem, const std::vector<HostTensor>* outputs,
                     const std::vector<NormAnswer>& norms);

}  // namespace assay
