// Executes calls of one library in this process and watches what they do to memory.
#pragma once

#include <memory>
#include <vector>

#include "assay/abi.h"
#include "harness/backend/device_block.h"
#include "harness/core/call.h"

namespace assay {

/// For each call: buffers with guard zones on both sides, inputs uploaded, outputs filled with a sentinel (a NaN where the format
/// has one) or, if the problem's output holds bytes, with those (an in-place operand); run, synchronise, download. Then, in this
/// order: broken guards, changed inputs, bytes of outputs never written. If elements still equal the sentinel the call runs once
/// more over another sentinel: what equals both was not written.
class Runner {
 public:
  explicit Runner(std::shared_ptr<const assay_library> functions) : functions_(std::move(functions)) {}

  /// Never throws for what the library does; a crash or a hang is the process's (worker.h).
  CallResult call(const CallRequest& request);

 private:
  CallResult run_once(const CallRequest& request, int sentinel);

  std::shared_ptr<const assay_library> functions_;
  std::vector<DeviceBlock> blocks_;  ///< one for each tensor of the call
};

}  // namespace assay
