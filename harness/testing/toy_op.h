// The op of toy_library (y equals x bit for bit), problems of the op, and parts of answers for tests.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "harness/compare/compare.h"
#include "harness/core/call.h"
#include "harness/core/op.h"
#include "reference/formats/catalogue.h"

namespace assay::testing {

/// A bound case of the op. Tests derive from it to change single functions.
class ToyCase : public BoundCase {
 public:
  /// Throws TableError if n is 0.
  explicit ToyCase(const Case& one);

  CaseName name() const override;
  Problem problem() const override;
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override;
  int64_t independent_rows() const override { return one_.integer("m"); }
  CaseOfRows with_rows(const Problem& problem, const std::vector<int64_t>& rows) const override;

 private:
  const Case one_;
};

/// Columns: contract, format, m, n, fill, seed, warp. The cell `format` is the format of both tensors.
Op toy_op();

/// The op, bound to cases of class `Bound`: Bound(one, arguments...).
template <class Bound, class... Arguments>
Op toy_op_of(Arguments... arguments) {
  Op op = toy_op();
  op.bind = [arguments...](const Case& one) { return std::make_unique<const Bound>(one, arguments...); };
  return op;
}

/// A case of that op, made without a table.
Case toy_case(const std::string& format = "bf16", const std::string& shape = "2x8");

/// toy_library() in this process.
Backend toy_backend();

/// A problem with x [m, n], whose codes are 1, 2, 3, ..., and y of the same shape.
Problem toy_problem(const Format& format, int64_t m, int64_t n);

// Problems of several ranks for the toy library.

/// x of rank r holds the 8-bit code r + 1 everywhere.
inline Problem problem_of(int ranks, int64_t n = 8) {
  Problem problem;
  problem.ranks = ranks;
  for (int rank = 0; rank < ranks; ++rank) {
    for (HostTensor& tensor : toy_problem(kE8M0, 1, n).tensors) {
      tensor.spec.rank = rank;
      for (int64_t i = 0; i < n && tensor.spec.role == Role::kInput; ++i) tensor.set_code(i, uint32_t(rank + 1));
      problem.tensors.push_back(std::move(tensor));
    }
  }
  return problem;
}

inline std::vector<int> codes_of(const HostTensor& tensor) {
  std::vector<int> codes;
  for (int64_t i = 0; i < tensor.spec.elements(); ++i) codes.push_back(int(tensor.code(i)));
  return codes;
}

// Helpers for tests that compare a single part with a tensor: parts with given codes and offsets.

/// A part whose elements accept the ordinals from `low` to `high`; with `high` empty, exactly `low`.
inline WholePart whole_part(const Format& format, std::array<int64_t, 2> shape, std::vector<int32_t> low,
                            std::vector<int32_t> high = {}, std::string justification = {}, std::string tensor = "q") {
  return {{std::move(tensor), &format, shape, std::move(justification)}, std::move(low), std::move(high)};
}

/// Storage offsets of a part, element by element, with that many columns per row.
inline Places listed(std::vector<int64_t> offsets, int64_t columns) {
  return Places::of_elements([=](int64_t row, int64_t column) { return offsets.at(size_t(row * columns + column)); });
}

inline TensorFinding compare_part(const WholePart& expected, const HostTensor& tensor,
                                  const std::vector<ByteRange>& untouched = {}) {
  HostTensor output = tensor;
  output.spec.name = expected.part.tensor;
  return compare(expectation_of({expected}), {std::move(output)}, {untouched}).parts.front();
}

}  // namespace assay::testing
