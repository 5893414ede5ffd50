// The ways in which a call can reach its kernel.
#pragma once

#include <functional>
#include <string>
#include <vector>

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
///   kStream   on a stream of its own that does not wait for the default stream; calls of ranks twice, one behind the other
///             without a wait between, so that a launch which begins before the one ahead has ended meets it
///   kGraph    captured, and replayed twice; before each replay `reset` puts the outputs back to what they were, so that what is
///             there afterwards came from a replay alone. Work that did not go to the stream does not happen again.
///
/// `run` makes the calls, of one rank or of several, which get the stream. Calls of
/// several ranks are made once before they are captured, as memory of a group is not to be had while a stream is captured.
/// `reset` gets the number of the replay, 1 or 2.
///
/// ASSAY_UNSUPPORTED if the library has no functions for it.
struct CallsToLaunch {
  std::vector<assay_call*> calls;
  std::function<assay_status()> run;
  std::function<bool(int replay)> reset;
  bool repeatable = false;  ///< calls of ranks that leave what they read as it was
};
Execution execute(const assay_library& functions, const CallsToLaunch& launch, LaunchMode mode);
/// The same of a lone call.
inline Execution execute(const assay_library& functions, assay_call& call, LaunchMode mode, const std::function<bool()>& reset) {
  return execute(functions, {{&call}, [&] { return functions.run(&call); }, [&](int) { return reset(); }}, mode);
}

}  // namespace assay
