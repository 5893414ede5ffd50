// The ways to launch a call.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "assay/abi.h"
#include "harness/core/call.h"

namespace assay {

/// Status of a call. `trouble` describes a failure that is not in the kernel's own message.
struct Execution {
  assay_status status = ASSAY_OK;
  std::string trouble{};
};

/// Runs the call and waits for it.
///
///   kDefault  on the default stream
///   kStream   on a stream that does not synchronize with the default stream. Calls of ranks are launched twice without a wait
///             between, so that a launch that begins before the previous one has ended shows its races.
///   kGraph    captured in a graph and replayed twice. `reset` restores the outputs before each replay, so that the final
///             outputs come from a replay. Work that was not enqueued on the stream is not repeated.
///
/// `run` makes the calls of one or several ranks on the given stream. Calls of several ranks are made once before the capture,
/// since a group cannot allocate memory during a capture. `reset` gets the number of the replay, 1 or 2.
///
/// Returns ASSAY_UNSUPPORTED if the library lacks the functions.
struct CallsToLaunch {
  std::vector<assay_call*> calls;
  std::function<assay_status()> run;
  std::function<bool(int replay)> reset;
  bool repeatable = false;  ///< for calls of ranks: they leave their inputs unchanged
};
Execution execute(const assay_library& functions, const CallsToLaunch& launch, LaunchMode mode);
/// As above, for a single call.
inline Execution execute(const assay_library& functions, assay_call& call, LaunchMode mode, const std::function<bool()>& reset) {
  return execute(functions, {{&call}, [&] { return functions.run(&call); }, [&](int) { return reset(); }}, mode);
}

}  // namespace assay
