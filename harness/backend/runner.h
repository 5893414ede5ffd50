// Executes calls of one library in this process and watches what they do to memory.
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

/// For each call: buffers (buffers.h) uploaded, the workspace that the library asks for; run, synchronise, download. Then, in
/// this order: broken guards, changed inputs, a floating-point environment left changed (which is put back), bytes of outputs
/// never written. If elements still equal the sentinel the call runs once more over another sentinel: what equals both was not
/// written.
///
/// The calls of a problem of several ranks are made together (rank_group.h). With a parameter "in_a_row" nobody waits between the
/// calls before it, its own, and one more with the numbers of the first.
class Runner {
 public:
  explicit Runner(std::shared_ptr<const assay_library> functions)
      : functions_(functions), group_(functions), buffers_(functions), workspaces_(functions) {}

  /// Never throws for what the library does; a crash or a hang is the process's (worker.h).
  CallResult call(const CallRequest& request);

 private:
  CallResult run_once(const CallRequest& request, int sentinel);
  CallResult called(const std::vector<CallInRow>& row, size_t judged, int sentinel);
  CallResult called_before(const CallRequest& request, int sentinel);
  CallResult called_in_a_row(const CallRequest& request, int sentinel);
  bool device_answers();
  void forget_group();

  std::shared_ptr<const assay_library> functions_;
  RankGroup group_;  ///< outlives the memory of its members
  Buffers buffers_;
  std::deque<Buffers> beside_;  ///< of calls in a row that are not the problem's own
  Workspaces workspaces_;
};

}  // namespace assay
