// A case whose result two consumers get.
#pragma once

#include <memory>
#include <vector>

#include "harness/core/forwarded_case.h"
#include "harness/core/op.h"

namespace assay {

/// q2 and scale2.
std::vector<RoleSpec> roles_of_second();

/// The case with outputs q2 and scale2 beside q and scale, judged alike. Its joint violations are bytes in which the consumers differ; its
/// mutants are those of both consumers, and roundings of the norm's result that one of them alone is given.
class BoundDoubleQuant : public ForwardedCase {
 public:
  /// `view`: x and q have three extents, two sequences of half the rows.
  BoundDoubleQuant(std::shared_ptr<const BoundCase> once, bool view) : ForwardedCase(std::move(once)), view_(view) {}

  CaseName name() const override;
  Problem problem() const override;
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override;
  std::vector<Hypothesis> mutants() const override;
  std::unique_ptr<const BoundCase> excerpt() const override;
  /// Rows of a view are taken as those of a matrix, of which there may be any number.
  CaseOfRows with_rows(const Problem& problem, const std::vector<int64_t>& rows) const override;

 private:
  const bool view_;
};

}  // namespace assay
