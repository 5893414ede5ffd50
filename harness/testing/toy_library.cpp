#include "harness/testing/toy_library.h"

#include <cstring>
#include <string>

#include "harness/testing/toy_kernels.h"
#include "harness/testing/toy_ranks.h"

namespace {

namespace toy = assay::testing::toy;

const char* describe() {
  static const std::string json = [] {
    std::vector<std::string> names = toy::names();
    names.insert(names.end(), {"ignores_capture", "cannot_be_captured"});
    names.insert(names.end(), std::begin(toy::kOfRanks), std::end(toy::kOfRanks));
    std::string kernels;
    for (const std::string& name : names)
      kernels += (kernels.empty() ? "" : ",") + (R"({"name": ")" + name + R"(", "op": "toy", "contracts": ["toy.copy"]})");
    return R"({"name": "toy", "arch": "cpu", "honours_schedule_seed": true, "honours_group_streams": true, "kernels": [)" +
           kernels + "]}";
  }();
  return json.c_str();
}

/// Runs the call, or stores it if the stream is being captured.
assay_status run(const assay_call* call) {
  const bool captures = call->stream != nullptr && toy::stream_of(call->stream).captures;
  if (!captures || std::strcmp(call->kernel, "ignores_capture") == 0) return toy::run_now(*call);
  if (std::strcmp(call->kernel, "cannot_be_captured") == 0)
    return toy::say(*call, ASSAY_FAILED, "allocates while it is captured");
  toy::stream_of(call->stream)
      .kept.push_back([kernel = std::string(call->kernel), again = *call,
                       tensors = std::vector<assay_tensor>(call->tensors, call->tensors + call->n_tensors)]() mutable {
        again.kernel = kernel.c_str();
        again.tensors = tensors.data();
        again.n_params = 0;
        toy::run_now(again);
      });
  return ASSAY_OK;
}

const assay_library kLibrary = [] {
  assay_library host{};
  host.abi = ASSAY_ABI_VERSION;
  host.size = sizeof(assay_library);
  host.describe = describe;
  host.run = run;
  host.synchronise = [](void* stream) -> assay_status {
    if (stream != nullptr) toy::stream_of(stream).since_wait = 0;
    return ASSAY_OK;
  };
  host.create_stream = []() -> void* { return new toy::Stream; };
  host.destroy_stream = [](void* stream) { delete &toy::stream_of(stream); };
  host.begin_capture = [](void* stream) -> assay_status {
    toy::stream_of(stream).captures = true;
    return ASSAY_OK;
  };
  host.end_capture = [](void* stream, void** graph) -> assay_status {
    *graph = new toy::Graph(std::move(toy::stream_of(stream).kept));
    toy::stream_of(stream).captures = false;
    return ASSAY_OK;
  };
  host.replay = [](void* graph, void*) -> assay_status {
    for (const auto& call : *static_cast<toy::Graph*>(graph)) call();
    return ASSAY_OK;
  };
  host.destroy_graph = [](void* graph) { delete static_cast<toy::Graph*>(graph); };
  host.workspace_bytes = [](const assay_call* call) -> size_t {
    return std::string(call->kernel).ends_with("_workspace") ? 100 : 0;
  };
  host.create_group = toy::create_group;
  host.run_group = toy::run_group;
  host.run_group_in_a_row = toy::run_group_in_a_row;
  host.destroy_group = toy::destroy_group;
  return host;
}();

}  // namespace

namespace assay::testing {
const assay_library* toy_library() { return &kLibrary; }
}  // namespace assay::testing

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) { return &kLibrary; }
