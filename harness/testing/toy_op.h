// The op of toy_library: y equals x bit for bit.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/core/call.h"
#include "harness/core/op.h"

namespace assay::testing {

/// Its bound case. Tests derive from it to change single functions.
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

/// Columns: contract, format, m, n, fill, seed, warp. Both tensors have the format `format`.
Op toy_op();

/// The op with another bound case: Bound(one, arguments...).
template <class Bound, class... Arguments>
Op toy_op_of(Arguments... arguments) {
  Op op = toy_op();
  op.bind = [arguments...](const Case& one) { return std::make_unique<const Bound>(one, arguments...); };
  return op;
}

/// A case of that op that is in no table.
Case toy_case(const std::string& format = "bf16", const std::string& shape = "2x8");

/// toy_library() in this process.
Backend toy_backend();

/// A problem with x [m, n] = 1, 2, 3, ... (as codes) and a y of the same shape.
Problem toy_problem(const Format& format, int64_t m, int64_t n);

}  // namespace assay::testing
