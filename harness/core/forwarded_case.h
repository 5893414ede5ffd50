// A wrapper around a bound case; derived classes override some of its functions.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/bound_case.h"

namespace assay {

/// Forwards every function. A subsample or a case of rows is the wrapped case's own, so the overrides do not apply to it.
class ForwardedCase : public BoundCase {
 public:
  explicit ForwardedCase(std::shared_ptr<const BoundCase> to) : to_(std::move(to)) {}

  CaseName name() const override { return to_->name(); }
  std::string arch() const override { return to_->arch(); }
  Problem problem() const override { return to_->problem(); }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override { return to_->expect(problem, outputs); }
  std::vector<Hypothesis> mutants() const override { return to_->mutants(); }
  std::unique_ptr<const BoundCase> excerpt() const override { return to_->excerpt(); }
  Expectation programs(const Problem& problem) const override { return to_->programs(problem); }
  bool is_meant(const SaidAlgorithm& said, const std::string& program) const override { return to_->is_meant(said, program); }
  int64_t independent_rows() const override { return to_->independent_rows(); }
  CaseOfRows with_rows(const Problem& problem, const std::vector<int64_t>& rows) const override { return to_->with_rows(problem, rows); }
  std::vector<Relation> relations(const Problem& problem) const override { return to_->relations(problem); }
  std::vector<std::string> formulas() const override { return to_->formulas(); }
  std::vector<std::string> trace(const Problem& problem, int64_t row, int64_t column) const override { return to_->trace(problem, row, column); }
  std::vector<std::string> layouts() const override { return to_->layouts(); }
  std::vector<std::string> remarks(const Problem& problem, const std::vector<HostTensor>& outputs) const override {
    return to_->remarks(problem, outputs);
  }
  std::string situation(const Problem& problem, const std::vector<HostTensor>& outputs) const override {
    return to_->situation(problem, outputs);
  }
  std::optional<Shrinking> shrinking(const std::map<std::string, int64_t>& multiple_of) const override { return to_->shrinking(multiple_of); }
  bool is_sweep() const override { return to_->is_sweep(); }
  void judge_sweep(const SweepCalls& calls, Verdict& verdict) const override { to_->judge_sweep(calls, verdict); }

 protected:
  const BoundCase& other() const { return *to_; }
  const std::shared_ptr<const BoundCase>& shared() const { return to_; }

 private:
  const std::shared_ptr<const BoundCase> to_;
};

}  // namespace assay
