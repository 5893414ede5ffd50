// The ways in which a call can reach its kernel.
#pragma once

#include <functional>
#include <string>

#include "assay/abi.h"
#include "harness/core/call.h"

namespace assay {

/// How a call ended. `trouble` says what went wrong beside the kernel's own message.
struct Execution {
  assay_status status = ASSAY_OK;
  std::string trouble{};
};

/// Runs the call and waits for it.
///
///   kDefault  on the default stream
///   kStream   on a stream of its own that does not wait for the default stream
///   kGraph    captured, and replayed twice; before each replay `reset` puts the outputs back to what they were, so that what is
///             there afterwards came from a replay alone. Work that did not go to the stream does not happen again.
///
/// ASSAY_UNSUPPORTED if the library has no functions for it.
Execution execute(const assay_library& functions, assay_call& call, LaunchMode mode, const std::function<bool()>& reset);

}  // namespace assay
