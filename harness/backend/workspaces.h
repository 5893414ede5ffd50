// The scratch memory that a library asks for.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "harness/backend/device_block.h"
#include "harness/core/call.h"

namespace assay {

/// A size that no device has.
struct WorkspaceError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One workspace of a rank for all its calls, which come one behind the other. They are kept for the next calls.
class Workspaces {
 public:
  explicit Workspaces(std::shared_ptr<const assay_library> functions) : functions_(std::move(functions)) {}

  /// Gives the calls of one rank as much as the hungriest of them asks for. False, with a reason, if the device refuses. Throws
  /// WorkspaceError.
  bool give(const std::vector<assay_call*>& calls, void* group, std::string& reason);

  /// kOk, or that one of the calls wrote outside of its workspace, or that the device is lost.
  CallResult looked_at(const std::vector<const assay_call*>& calls);

  void clear() { of_ranks_.clear(); }

 private:
  std::shared_ptr<const assay_library> functions_;
  std::vector<DeviceBlock> of_ranks_;
};

}  // namespace assay
