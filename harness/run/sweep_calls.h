// Makes the calls of a sweep (BoundCase::judge_sweep) and records them in its verdict.
#pragma once

#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/call.h"
#include "harness/core/op.h"

namespace assay {

/// Keeps the last answer, and whether a call ended the sweep.
class SweepAnswers {
 public:
  /// `request`: used for every call, with its problem replaced. `backend` and `verdict` must outlive this object.
  SweepAnswers(CallRequest request, const Backend& backend, Verdict& verdict)
      : backend_(backend), verdict_(verdict), request_(std::move(request)) {}

  SweepCalls calls();
  bool gave_up() const { return gave_up_; }

 private:
  const std::vector<HostTensor>* outputs(const Problem& problem);
  std::vector<int32_t> wrong(const Problem& problem, uint32_t first, const std::vector<CodeStep>& steps);

  const Backend& backend_;
  Verdict& verdict_;
  CallRequest request_;
  CallResult result_;
  bool gave_up_ = false;
};

}  // namespace assay
