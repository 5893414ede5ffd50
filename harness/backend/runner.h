// Calls a library in this process, for one rank or for a group of ranks.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "assay/abi.h"
#include "harness/backend/abi_call.h"
#include "harness/backend/call_memory.h"
#include "harness/core/call.h"

namespace assay {

// A library's group of ranks. The calls of all its ranks are made at the same time.

/// A problem with several ranks creates a group. Later problems with as many ranks and without warm-up calls use the same group.
/// So a kernel finds its flags as its previous call left them, as in production.
class RankGroup {
 public:
  explicit RankGroup(std::shared_ptr<const assay_library> functions) : functions_(std::move(functions)) {}
  RankGroup(const RankGroup&) = delete;
  RankGroup& operator=(const RankGroup&) = delete;
  ~RankGroup() { destroy(); }

  /// Creates a group of that many ranks, unless held. Returns ASSAY_OK, or the reason for failure. One rank needs no group.
  Execution hold(int ranks);
  /// Creates this process's part of a group that spans several processes. Creates `folder` if it does not exist.
  Execution join(int ranks, const RankPlace& place, const std::string& folder);
  void destroy();

  void* handle() const { return handle_; }
  int ranks() const { return ranks_; }

  /// Whether the library enqueues calls on given streams ("honours_group_streams" of describe()).
  bool honours_streams() const;

  /// Runs the calls of all ranks of this process concurrently. Waits for them, unless the calls have streams.
  Execution run(const std::vector<const assay_call*>& calls) const;

  /// Whether the library has run_group_in_a_row(): several calls of all ranks without a wait between them.
  bool runs_in_a_row() const { return functions_->run_group_in_a_row != nullptr; }
  Execution run_in_a_row(const std::vector<std::vector<const assay_call*>>& row) const;

 private:
  std::shared_ptr<const assay_library> functions_;
  void* handle_ = nullptr;
  int ranks_ = 1;
};

/// A call uploads the buffers, allocates the workspace that the library asks for, runs, synchronises and downloads. It then
/// checks, in this order: broken guards, changed inputs, a changed floating-point environment (which is restored), unwritten
/// output bytes. If elements still equal the sentinel, the call is repeated with a different sentinel; bytes that equal both were
/// not written.
///
/// Calls of several ranks are made at the same time (RankGroup). With the parameter "in_a_row" there is no wait between the
/// warm-up calls, the problem's call, and a final call with the inputs of the first.
class Runner {
 public:
  explicit Runner(std::shared_ptr<const assay_library> functions)
      : functions_(functions), group_(functions), buffers_(functions), workspaces_(functions) {}

  /// Exceptions of the library become results. A crash or a hang ends or blocks this process (see worker.h).
  CallResult call(const CallRequest& request);

 private:
  CallResult run_once(const CallRequest& request, int sentinel);
  CallResult called(const std::vector<CallInRow>& row, size_t judged, int sentinel);
  CallResult called_before(const CallRequest& request, int sentinel);
  CallResult called_in_a_row(const CallRequest& request, int sentinel);
  bool device_answers();
  void forget_group();

  std::shared_ptr<const assay_library> functions_;
  RankGroup group_;  ///< declared before the buffers: it must outlive them, since it owns memory of its ranks
  Buffers buffers_;
  std::deque<Buffers> beside_;  ///< buffers of the other calls, if calls are made back-to-back
  Workspaces workspaces_;
};

}  // namespace assay
