// A call as the C ABI wants it, and what its status means.
#pragma once

#include <string>
#include <vector>

#include "assay/abi.h"
#include "harness/backend/device_block.h"
#include "harness/backend/launch_mode.h"
#include "harness/core/call.h"

namespace assay {

/// The C structs of one rank's call and the memory they point to: tensor i of the problem lies in block i, and the call has those
/// of its rank.
struct AbiCall {
  AbiCall(const CallRequest& request, const std::vector<DeviceBlock>& blocks, int rank = 0);
  AbiCall(const AbiCall&) = delete;

  /// The library's words, in one line.
  std::string words() const;
  /// The algorithm by which the library says that its outputs are made: in `algorithm`, or in the words of a library that is older.
  SaidAlgorithm said() const;

  std::vector<assay_tensor> tensors;
  std::vector<assay_param> parameters;
  char message[1024] = {};
  assay_algorithm algorithm{.size = sizeof(assay_algorithm), .split_k = 0, .promote = 0, .order = ASSAY_ORDER_NOT_SAID};
  assay_call call;
};

/// An answer without outputs.
CallResult refused(CallStatus status, std::string message);

/// The device answers no more, before or after it got to the kernel.
CallResult lost(const std::string& reason, bool reached_kernel);

/// The same of an execution that did not end well.
CallResult refused_by(const Execution& execution, const AbiCall& call);

}  // namespace assay
