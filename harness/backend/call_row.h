// Calls of all ranks that come one behind the other, as the C ABI wants them.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "harness/backend/abi_call.h"
#include "harness/backend/buffers.h"
#include "harness/backend/workspaces.h"

namespace assay {

/// What is set before the words of a call that is not the problem's own.
inline constexpr const char *kInTheCallBefore = "in the call before: ", *kInTheCallBehind = "in the call behind it: ";

/// A call of all ranks, and where its tensors lie.
struct CallInRow {
  CallRequest request;
  Buffers* buffers;
};

class CallRow {
 public:
  /// The calls of those ranks that this process holds; `judged` is the problem's own.
  CallRow(const std::vector<CallInRow>& row, size_t judged);

  /// Gives each rank its workspace. False, with a reason, if the device refuses.
  bool take(Workspaces& workspaces, void* group, std::string& reason);

  const std::vector<std::vector<const assay_call*>>& all() const { return pointers_; }
  const std::vector<const assay_call*>& own() const { return pointers_[judged_]; }
  /// The problem's own, to be changed.
  std::vector<assay_call*> own_calls();
  /// By which program the library says that the outputs of the problem's own call are made.
  SaidAlgorithm said() const { return calls_[judged_].front().said(); }

  /// What the library says of calls that did not end well: the first that has words, and of ranks that wait for each other all.
  CallResult not_well(const Execution& execution) const;

 private:
  size_t judged_;
  int ranks_;
  std::deque<std::deque<AbiCall>> calls_;  ///< of each step, its ranks
  std::vector<std::vector<const assay_call*>> pointers_;
};

}  // namespace assay
