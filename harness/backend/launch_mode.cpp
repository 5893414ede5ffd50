#include "harness/backend/launch_mode.h"

namespace assay {
namespace {

assay_status wait_for(const assay_library& functions, void* stream) {
  return functions.synchronise != nullptr ? functions.synchronise(stream) : ASSAY_OK;
}

Execution run_and_wait(const assay_library& functions, const CallsToLaunch& launch, void* stream) {
  const assay_status status = launch.run();
  if (status != ASSAY_OK) return {status};
  const assay_status waited = wait_for(functions, stream);
  return {waited, waited == ASSAY_OK ? "" : "synchronise failed after the call"};
}

/// Launches the calls one after the other on one stream, then waits.
Execution run_in_a_row_and_wait(const assay_library& functions, const CallsToLaunch& launch, void* stream) {
  if (launch.calls.size() > 1 && launch.repeatable)
    if (const assay_status status = launch.run(); status != ASSAY_OK) return {status};
  return run_and_wait(functions, launch, stream);
}

Execution capture_and_replay(const assay_library& functions, const CallsToLaunch& launch, void* stream) {
  if (launch.calls.size() > 1)
    if (const Execution before = run_and_wait(functions, launch, stream); before.status != ASSAY_OK) return before;
  if (const assay_status status = functions.begin_capture(stream); status != ASSAY_OK) return {status, "begin_capture failed"};
  const assay_status recorded = launch.run();
  void* graph = nullptr;
  const assay_status ended = functions.end_capture(stream, &graph);
  Execution result{recorded};
  if (recorded == ASSAY_OK && (ended != ASSAY_OK || graph == nullptr))
    result = {ended == ASSAY_OK ? ASSAY_FAILED : ended,
              "the call cannot be captured: it does not stay on its stream, or waits for it"};
  for (int time = 1; time <= 2 && result.status == ASSAY_OK; ++time) {
    if (!launch.reset(time)) {
      result = {ASSAY_DEVICE_LOST, "the outputs cannot be reset between two replays"};
      break;
    }
    result.status = functions.replay(graph, stream);
    if (result.status == ASSAY_OK) result.status = wait_for(functions, stream);
    if (result.status != ASSAY_OK) result.trouble = "replay " + std::to_string(time) + " of the captured call failed";
  }
  if (graph != nullptr) functions.destroy_graph(graph);
  return result;
}

}  // namespace

Execution execute(const assay_library& functions, const CallsToLaunch& launch, LaunchMode mode) {
  if (mode == LaunchMode::kDefault) {
    if (launch.calls.size() > 1) return {launch.run()};  // a group synchronizes itself
    return run_and_wait(functions, launch, launch.calls.front()->stream);
  }
  if (functions.create_stream == nullptr) return {ASSAY_UNSUPPORTED, "the library has no streams"};
  if (mode == LaunchMode::kGraph && functions.begin_capture == nullptr)
    return {ASSAY_UNSUPPORTED, "the library captures no graphs"};

  // The new stream does not wait for the default stream, so uploads there must be complete.
  if (const assay_status status = wait_for(functions, nullptr); status != ASSAY_OK)
    return {status, "synchronise failed before the call"};
  void* const stream = functions.create_stream();
  if (stream == nullptr) return {ASSAY_DEVICE_LOST, "create_stream returned NULL"};
  for (assay_call* call : launch.calls) call->stream = stream;
  const Execution result = mode == LaunchMode::kStream ? run_in_a_row_and_wait(functions, launch, stream)
                                                       : capture_and_replay(functions, launch, stream);
  functions.destroy_stream(stream);
  for (assay_call* call : launch.calls) call->stream = nullptr;
  return result;
}

}  // namespace assay
