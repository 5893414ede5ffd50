// Runs calls of one library in this process and checks what they do to memory.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "assay/abi.h"
#include "harness/backend/buffers.h"
#include "harness/backend/call_row.h"
#include "harness/backend/rank_group.h"
#include "harness/backend/workspaces.h"
#include "harness/core/call.h"

namespace assay {

/// Each call: upload the buffers (buffers.h), allocate the workspace that the library asks for, run, synchronise, download. Then
/// check, in this order: broken guards, changed inputs, a changed floating-point environment (which is restored), unwritten
/// output bytes. If elements still equal the sentinel, the call is repeated with a different sentinel; bytes that equal both were
/// not written.
///
/// Calls of several ranks are made together (rank_group.h). With the parameter "in_a_row" there is no wait between the warm-up
/// calls, the problem's call, and a final call with the inputs of the first.
class Runner {
 public:
  explicit Runner(std::shared_ptr<const assay_library> functions)
      : functions_(functions), group_(functions), buffers_(functions), workspaces_(functions) {}

  /// Never throws because of the library. A crash or a hang takes the process with it (see worker.h).
  CallResult call(const CallRequest& request);

 private:
  CallResult run_once(const CallRequest& request, int sentinel);
  CallResult called(const std::vector<CallInRow>& row, size_t judged, int sentinel);
  CallResult called_before(const CallRequest& request, int sentinel);
  CallResult called_in_a_row(const CallRequest& request, int sentinel);
  bool device_answers();
  void forget_group();

  std::shared_ptr<const assay_library> functions_;
  RankGroup group_;  ///< must outlive the memory of its members
  Buffers buffers_;
  std::deque<Buffers> beside_;  ///< buffers of back-to-back calls other than the problem's own
  Workspaces workspaces_;
};

}  // namespace assay
