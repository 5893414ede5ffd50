// The answer is that of the norm on whole rows. Each rank has its own columns of it, and one factor must explain the columns of
// all ranks.
#include <memory>

#include "suites/all_reduce_rms_norm/answers.h"

namespace assay {
namespace {

/// The whole problem and outputs of a matrix, and the answer, which refers to both.
struct WholeAnswer {
  Problem problem;
  std::vector<HostTensor> stored;
  Answer answer;
};

/// A rank's columns of accepted whole rows.
AcceptedRows columns_of(const AcceptedRows& whole, int rank, int ranks) {
  AcceptedRows part{whole.first, whole.end, {}, {}};
  const auto rows = size_t(whole.end - whole.first), all = rows == 0 ? 0 : whole.low.size() / rows, own = all / size_t(ranks);
  const auto take = [&](const std::vector<int32_t>& from, std::vector<int32_t>& to) {
    for (size_t row = 0; row < rows && !from.empty(); ++row) {
      const auto begin = from.begin() + std::ptrdiff_t(row * all + size_t(rank) * own);
      to.insert(to.end(), begin, begin + std::ptrdiff_t(own));
    }
  };
  take(whole.low, part.low);
  take(whole.high, part.high);
  return part;
}

NormAnswer right_norm(const ShardedCase& c, const ShardedMatrix& matrix) {
  return [contract = c.whole, norm = matrix.norm](const Problem& problem, const std::vector<HostTensor>* outputs) {
    return norm->expect_of(contract, problem, outputs);
  };
}

}  // namespace

std::vector<Part> sharded_parts(const ShardedCase& c, const std::string& justification) {
  std::vector<Part> parts;
  for (int rank = 0; rank < c.ranks; ++rank)
    for (const ShardedMatrix& matrix : c.matrices) {
      Part part{matrix.y, c.x, {c.rows(), c.columns(matrix)}, justification};
      part.name = "rank " + std::to_string(rank);
      part.rank = rank;
      parts.push_back(std::move(part));
    }
  return parts;
}

Expectation of_norms(const ShardedCase& c, const Problem& problem, const std::vector<HostTensor>* outputs,
                     const std::vector<NormAnswer>& norms) {
  std::vector<std::shared_ptr<const WholeAnswer>> wholes;
  for (size_t i = 0; i < c.matrices.size(); ++i) {
    const auto whole = std::make_shared<WholeAnswer>();
    whole->problem = whole_problem(c, c.matrices[i], problem);
    if (outputs) whole->stored.push_back(whole_output(c, c.matrices[i], *outputs));
    whole->answer = norms[i](whole->problem, outputs ? &whole->stored : nullptr).any_of.front();
    wholes.push_back(whole);
  }
  Answer all;
  all.parts = sharded_parts(c, wholes.front()->answer.parts.front().justification);
  all.steps = c.rows();
  all.accepted = [c, wholes](int64_t first, int64_t end) {
    std::vector<AcceptedBlock> blocks;
    for (const auto& whole : wholes) blocks.push_back(whole->answer.accepted(first, end));
    AcceptedBlock block;
    for (int rank = 0; rank < c.ranks; ++rank)
      for (const AcceptedBlock& of_matrix : blocks) block.parts.push_back(columns_of(of_matrix.parts.front(), rank, c.ranks));
    for (size_t i = 0; i < blocks.size(); ++i)
      for (Violation& violation : blocks[i].violations) {
        violation.words = c.matrices[i].y + " of all ranks: " + violation.words;
        for (Place& place : violation.places) place.part = c.matrices[i].y + ".rank 0";
        block.violations.push_back(std::move(violation));
      }
    return block;
  };
  return {{std::move(all)}};
}

Expectation expect_sharded(const ShardedCase& c, const Problem& problem, const std::vector<HostTensor>* outputs) {
  std::vector<NormAnswer> norms;
  for (const ShardedMatrix& matrix : c.matrices) norms.push_back(right_norm(c, matrix));
  return of_norms(c, problem, outputs, norms);
}

}  // namespace assay
