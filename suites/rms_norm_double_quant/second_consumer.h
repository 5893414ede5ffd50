// A case whose result goes to two consumers.
#pragma once

#include <memory>
#include <vector>

#include "harness/core/forwarded_case.h"
#include "harness/core/op.h"

namespace assay {

/// The roles q2 and scale2.
std::vector<RoleSpec> roles_of_second();

/// Adds outputs q2 and scale2, checked like q and scale. Bytes in which the consumers differ are violations. Mutants are those of
/// both consumers, and roundings of the norm's result that affect only one of them.
class BoundDoubleQuant : public ForwardedCase {
 public:
  /// `view`: x and q are three-dimensional, two sequences of half the rows.
  BoundDoubleQuant(std::shared_ptr<const BoundCase> once, bool view) : ForwardedCase(std::move(once)), view_(view) {}

  CaseName name() const override;
  Problem problem() const override;
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override;
  std::vector<Hypothesis> mutants() const override;
  std::unique_ptr<const BoundCase> excerpt() const override;
  /// Rows of a view become rows of a matrix, which may have any number of rows.
  CaseOfRows with_rows(const Problem& problem, const std::vector<int64_t>& rows) const override;

 private:
  const bool view_;
};

}  // namespace assay
