// The bound case of all_reduce, alone and as the first step of fused ops.
#pragma once

#include <utility>

#include "harness/core/bound_case.h"
#include "suites/all_reduce/rank_case.h"

namespace assay {

class BoundRanks : public BoundCase {
 public:
  BoundRanks(RankCase c, CaseName name) : c_(std::move(c)), name_(std::move(name)) {}

  const RankCase& rank_case() const { return c_; }

  CaseName name() const override { return name_; }
  Problem problem() const override { return rank_problem(c_); }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override;
  std::vector<Hypothesis> mutants() const override;
  std::unique_ptr<const BoundCase> excerpt() const override;
  std::vector<std::string> formulas() const override;
  std::vector<std::string> trace(const Problem& problem, int64_t row, int64_t column) const override;
  std::vector<std::string> remarks(const Problem& problem, const std::vector<HostTensor>& outputs) const override;
  std::string situation(const Problem& problem, const std::vector<HostTensor>& outputs) const override;
  std::optional<Shrinking> shrinking(const std::map<std::string, int64_t>& multiple_of) const override;

 private:
  const RankCase c_;
  const CaseName name_;
};

}  // namespace assay
