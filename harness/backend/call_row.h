// Consecutive calls of all ranks, as C ABI structs.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "harness/backend/abi_call.h"
#include "harness/backend/buffers.h"
#include "harness/backend/workspaces.h"

namespace assay {

/// Prefixes of messages about calls other than the problem's own.
inline constexpr const char *kInTheCallBefore = "in the call before: ", *kInTheCallBehind = "in the call behind it: ";

/// A call of all ranks, and the buffers of its tensors.
struct CallInRow {
  CallRequest request;
  Buffers* buffers;
};

class CallRow {
 public:
  /// The calls of the ranks that this process holds. `judged` is the index of the problem's own call.
  CallRow(const std::vector<CallInRow>& row, size_t judged);

  /// Allocates a workspace for each rank. Returns false, with a reason, if the device refuses.
  bool take(Workspaces& workspaces, void* group, std::string& reason);

  const std::vector<std::vector<const assay_call*>>& all() const { return pointers_; }
  const std::vector<const assay_call*>& own() const { return pointers_[judged_]; }
  /// Mutable access to the problem's own calls.
  std::vector<assay_call*> own_calls();
  /// The algorithm that the library reports for the problem's own call.
  SaidAlgorithm said() const { return calls_[judged_].front().said(); }

  /// The library's messages for failed calls: the first one with a message, or all of them if ranks wait for each other.
  CallResult not_well(const Execution& execution) const;

 private:
  size_t judged_;
  int ranks_;
  std::deque<std::deque<AbiCall>> calls_;  ///< per step: one call per rank
  std::vector<std::vector<const assay_call*>> pointers_;
};

}  // namespace assay
