#include "harness/backend/launch_mode.h"

namespace assay {
namespace {

assay_status wait_for(const assay_library& functions, void* stream) {
  return functions.synchronise != nullptr ? functions.synchronise(stream) : ASSAY_OK;
}

Execution run_and_wait(const assay_library& functions, const assay_call& call) {
  const assay_status status = functions.run(&call);
  if (status != ASSAY_OK) return {status};
  const assay_status waited = wait_for(functions, call.stream);
  return {waited, waited == ASSAY_OK ? "" : "synchronise failed after the call"};
}

Execution capture_and_replay(const assay_library& functions, const assay_call& call, const std::function<bool()>& reset) {
  if (const assay_status status = functions.begin_capture(call.stream); status != ASSAY_OK)
    return {status, "begin_capture failed"};
  const assay_status recorded = functions.run(&call);
  void* graph = nullptr;
  const assay_status ended = functions.end_capture(call.stream, &graph);
  Execution result{recorded};
  if (recorded == ASSAY_OK && (ended != ASSAY_OK || graph == nullptr))
    result = {ended == ASSAY_OK ? ASSAY_FAILED : ended,
              "the call cannot be captured: it does not stay on its stream, or waits for it"};
  for (int time = 1; time <= 2 && result.status == ASSAY_OK; ++time) {
    if (!reset()) {
      result = {ASSAY_DEVICE_LOST, "the outputs cannot be reset between two replays"};
      break;
    }
    result.status = functions.replay(graph, call.stream);
    if (result.status == ASSAY_OK) result.status = wait_for(functions, call.stream);
    if (result.status != ASSAY_OK) result.trouble = "replay " + std::to_string(time) + " of the captured call failed";
  }
  if (graph != nullptr) functions.destroy_graph(graph);
  return result;
}

}  // namespace

Execution execute(const assay_library& functions, assay_call& call, LaunchMode mode, const std::function<bool()>& reset) {
  if (mode == LaunchMode::kDefault) return run_and_wait(functions, call);
  if (functions.create_stream == nullptr) return {ASSAY_UNSUPPORTED, "the library has no streams"};
  if (mode == LaunchMode::kGraph && functions.begin_capture == nullptr) return {ASSAY_UNSUPPORTED, "the library captures no graphs"};

  // The new stream waits for nobody: what the uploads left on the default stream must be done.
  if (const assay_status status = wait_for(functions, nullptr); status != ASSAY_OK)
    return {status, "synchronise failed before the call"};
  call.stream = functions.create_stream();
  if (call.stream == nullptr) return {ASSAY_DEVICE_LOST, "create_stream returned NULL"};
  const Execution result = mode == LaunchMode::kStream ? run_and_wait(functions, call) : capture_and_replay(functions, call, reset);
  functions.destroy_stream(call.stream);
  call.stream = nullptr;
  return result;
}

}  // namespace assay
