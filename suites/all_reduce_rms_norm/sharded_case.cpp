#include "suites/all_reduce_rms_norm/sharded_case.h"

#include <memory>

#include "harness/core/expectation.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "suites/rows/case_cells.h"
#include "suites/rows/row_tensors.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

constexpr int64_t kPacket = 16;  ///< bytes that each load of these kernels reads
/// Added to the case's seed for warm-up calls and for the second matrix.
constexpr uint64_t kSeedBefore = 1000, kSeedOfSecond = 100;

RankSquares contract_of(const Cells& cells) {
  const ContractRow& row = cells.contract();
  if (row.flow != &rank_squares_flow())
    cells.refuse("contract", "'" + row.id + "' is a " + row.flow->name + " contract; expected a norm of rows that are divided among ranks");
  return read_rank_squares(row);
}

/// The norm of whole rows, with the columns of all ranks: the same single stage as in op rms_norm.
const std::shared_ptr<const RowOpParts>& norm_of_rows() {
  static const auto parts = std::make_shared<const RowOpParts>(
      RowOpParts{.name = "all_reduce_rms_norm", .chain = RowChain({norm_stage()}), .columns = {}});
  return parts;
}

ShardedMatrix matrix_of(const Cells& cells, const ShardedCase& sharded, const char* column, const std::string& suffix,
                        uint64_t seed) {
  const int64_t columns = cells.positive(column);
  if (columns % (sharded.ranks * kPacket / sharded.x->bytes()) != 0)
    cells.refuse(column, "expected a multiple of " + std::to_string(kPacket) + " bytes in each rank's part of a row");
  const ContractRow& contract = rulebook().contracts.find(sharded.contract.norm);
  norm_of_rows()->chain.require(cells, contract, norm_of_rows()->columns);
  RowCase rows = read_row_case(cells, contract, true);
  rows.n = columns;
  rows.seed = seed;
  return {suffix.empty() ? "x" : "k", "gamma" + suffix, "y" + suffix,
          std::make_shared<const BoundRows>(norm_of_rows(), std::move(rows), CaseName{})};
}

/// One rank's columns of a matrix, or its elements of a vector.
HostTensor shard(const HostTensor& whole, const std::string& role, int rank, int ranks) {
  std::vector<int64_t> shape = whole.spec.shape;
  shape.back() /= ranks;
  HostTensor part{dense(role, whole.spec.role, *whole.spec.format, std::move(shape)), {}};
  part.spec.rank = rank;
  if (whole.bytes.empty()) return part;
  part.bytes.resize(part.spec.bytes());
  ByteRows own = byte_rows(part);
  own = byte_rows(whole).middleCols(rank * own.cols(), own.cols());
  return part;
}

/// The inverse of shard(): fills `whole` with the columns that the tensors `role` of all ranks hold.
void put_shards(HostTensor& whole, const std::vector<HostTensor>& from, const std::string& role, int ranks) {
  whole.bytes.resize(whole.spec.bytes());
  for (int rank = 0; rank < ranks; ++rank) {
    Part part{.tensor = role, .format = whole.spec.format, .shape = {}};
    part.rank = rank;
    const ConstByteRows own = byte_rows(tensor_of(from, part));
    byte_rows(whole).middleCols(rank * own.cols(), own.cols()) = own;
  }
}

Problem problem_with(const ShardedCase& c, uint64_t more_seed) {
  Problem made;
  made.ranks = c.ranks;
  for (int rank = 0; rank < c.ranks; ++rank)
    for (const ShardedMatrix& matrix : c.matrices) {
      RowCase one = matrix.rows();
      one.seed += more_seed;
      const Problem whole = matrix.norm->with(std::move(one))->problem();
      made.tensors.push_back(shard(find(whole.tensors, "x"), matrix.x, rank, c.ranks));
      made.tensors.push_back(shard(find(whole.tensors, "gamma"), matrix.gamma, rank, c.ranks));
      made.tensors.push_back(shard(find(whole.tensors, "y"), matrix.y, rank, c.ranks));
      made.parameters = whole.parameters;
    }
  return made;
}

}  // namespace

ShardedCase read_sharded_case(const Case& source) {
  const Cells cells(source);
  ShardedCase c;
  c.contract = contract_of(cells);
  c.ranks = int(cells.positive("ranks"));
  if (!c.contract.takes(c.ranks))
    cells.refuse("ranks", "contract " + c.id() + " does not support " + cells.text("ranks") +
                              " ranks; supported: " + c.contract.row->text("shards"));
  c.x = &cells.format_taken("x", *c.contract.row, "numbers", [&](const Format& x) { return c.contract.takes(x); });
  c.seed = uint64_t(cells.positive("seed"));
  const bool earlier = cells.given("before");
  c.before = earlier ? int64_t(cells.number("before")) : 0;
  c.whole = std::make_shared<const Contract>(bind_rank_squares(rulebook().contracts, c.contract, *c.x));
  c.matrices.push_back(matrix_of(cells, c, "n", "", c.seed));
  const bool second = cells.given("n_k");
  if (second != c.contract.two_rows) cells.refuse("n_k", c.id() + (second ? " has one matrix" : " has a second matrix"));
  if (second) c.matrices.push_back(matrix_of(cells, c, "n_k", "_k", c.seed + kSeedOfSecond));
  return c;
}

ShardedCase ShardedCase::with_rows(int64_t rows) const {
  ShardedCase few = *this;
  for (ShardedMatrix& matrix : few.matrices) matrix.norm = matrix.norm->with(matrix.rows().with_rows(rows));
  return few;
}

Problem sharded_problem(const ShardedCase& c) {
  Problem made = problem_with(c, 0);
  if (c.before > 0) made.before.assign(size_t(c.before), problem_with(c, kSeedBefore));
  return made;
}

Problem whole_problem(const ShardedCase& c, const ShardedMatrix& matrix, const Problem& problem) {
  Problem whole = matrix.norm->problem_of({dense("x", Role::kInput, *c.x, {matrix.rows().m, matrix.rows().n}), {}});
  put_shards(find(whole.tensors, "x"), problem.tensors, matrix.x, c.ranks);
  put_shards(find(whole.tensors, "gamma"), problem.tensors, matrix.gamma, c.ranks);
  return whole;
}

HostTensor whole_output(const ShardedCase& c, const ShardedMatrix& matrix, const std::vector<HostTensor>& outputs) {
  HostTensor y{dense("y", Role::kOutput, *c.x, {matrix.rows().m, matrix.rows().n}), {}};
  put_shards(y, outputs, matrix.y, c.ranks);
  return y;
}

// Divides the accepted outputs of whole rows among the ranks: each rank holds its own columns, and one r must explain the columns
// of all ranks.

namespace {

/// Call, outputs and accepted outputs of a matrix with whole rows. The accepted outputs refer to the call and the outputs.
struct WholeAnswer {
  Problem problem;
  std::vector<HostTensor> stored;
  Answer answer;
};

/// One rank's columns of the accepted codes of whole rows.
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
