// Converts a call to the structs of the C ABI, and a returned status to a result.
#pragma once

#include <string>
#include <vector>

#include "assay/abi.h"
#include "harness/backend/device_block.h"
#include "harness/backend/launch_mode.h"
#include "harness/core/call.h"

namespace assay {

/// The C structs of one rank's call and the memory they point to. Tensor i of the problem is stored in block i; the call contains
/// the tensors of its rank.
struct AbiCall {
  AbiCall(const CallRequest& request, const std::vector<DeviceBlock>& blocks, int rank = 0);
  AbiCall(const AbiCall&) = delete;

  /// The library's message as one line.
  std::string words() const;
  /// The algorithm that the library reports, from `algorithm` or, for an older library, from its message.
  SaidAlgorithm said() const;

  std::vector<assay_tensor> tensors;
  std::vector<assay_param> parameters;
  char message[1024] = {};
  assay_algorithm algorithm{.size = sizeof(assay_algorithm), .split_k = 0, .promote = 0, .order = ASSAY_ORDER_NOT_SAID};
  assay_call call;
};

/// A result without outputs.
CallResult refused(CallStatus status, std::string message);

/// A result for a device that stopped answering, before or after the kernel was called.
CallResult lost(const std::string& reason, bool reached_kernel);

/// A result for an execution that failed.
CallResult refused_by(const Execution& execution, const AbiCall& call);

}  // namespace assay
