#include "harness/testing/toy_library.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

const char* describe() {
  static const std::string json = [] {
    std::string kernels;
    for (const char* name : {"copy",
                             "overruns",
                             "underruns",
                             "far_overrun",
                             "unwritten",
                             "unwritten_first",
                             "changes_input",
                             "fails",
                             "refuses",
                             "loses_device",
                             "unknown_status",
                             "off_by_one",
                             "follows_seed",
                             "throws",
                             "crashes",
                             "aborts",
                             "exits",
                             "hangs",
                             "prints",
                             "remembers",
                             "counts_rows",
                             "looks_at_neighbours",
                             "needs_default_stream",
                             "ignores_capture",
                             "cannot_be_captured"}) {
      kernels +=
          std::string(kernels.empty() ? "" : ",") + R"({"name": ")" + name + R"(", "op": "toy", "contracts": ["toy.copy"]})";
    }
    return R"({"name": "toy", "arch": "cpu", "kernels": [)" + kernels + "]}";
  }();
  return json.c_str();
}

const assay_tensor& tensor(const assay_call& call, const char* role) {
  for (int32_t i = 0; i < call.n_tensors; ++i) {
    if (std::strcmp(call.tensors[i].role, role) == 0) return call.tensors[i];
  }
  throw std::runtime_error("no such tensor");
}

double parameter(const assay_call& call, const char* name) {
  for (int32_t i = 0; i < call.n_params; ++i) {
    if (std::strcmp(call.params[i].name, name) == 0) return call.params[i].value;
  }
  return 0;
}

assay_status say(const assay_call& call, assay_status status, const char* words) {
  std::snprintf(call.message, call.message_bytes, "%s", words);
  return status;
}

assay_status run_now(const assay_call* call) {
  const std::string kernel = call->kernel;
  const assay_tensor &x = tensor(*call, "x"), &y = tensor(*call, "y");
  auto* const to = static_cast<unsigned char*>(y.data);
  auto* const from = static_cast<unsigned char*>(x.data);
  if (kernel == "refuses") return say(*call, ASSAY_UNSUPPORTED, "not on a Sunday");
  if (kernel == "fails") return say(*call, ASSAY_FAILED, "n must be\n a multiple of 7");
  if (kernel == "loses_device") return say(*call, ASSAY_DEVICE_LOST, "fell off the bus");
  if (kernel == "unknown_status") return 42;
  if (kernel == "throws") throw std::runtime_error("thrown on purpose");
  if (kernel == "crashes") {
    std::signal(SIGSEGV, SIG_DFL);  // a sanitizer would catch it
    ::raise(SIGSEGV);
  }
  if (kernel == "aborts") std::abort();
  if (kernel == "exits") std::exit(7);
  if (kernel == "hangs") {
    for (;;) ::pause();
  }
  if (kernel == "prints") std::puts("a kernel's own words");

  const size_t skip = kernel == "unwritten_first" ? y.type_bits / 8u : 0u;
  const size_t leave = kernel == "unwritten" ? 3u * y.type_bits / 8u : 0u;
  std::memcpy(to + skip, from + skip, y.bytes - skip - leave);
  if (kernel == "overruns") to[y.bytes] ^= 1;
  if (kernel == "far_overrun") std::memset(to + y.bytes + 100, 0, 8);
  if (kernel == "underruns") std::memset(to - 2, 0, 2);
  if (kernel == "changes_input") from[4] ^= 1;
  if (kernel == "off_by_one") to[2] ^= 1;
  if (kernel == "follows_seed") to[4] = static_cast<unsigned char>(parameter(*call, "schedule_seed"));
  static unsigned char calls = 0;
  if (kernel == "remembers") to[4] ^= ++calls;
  if (kernel == "counts_rows") to[4] = static_cast<unsigned char>(y.shape[0]);
  if (kernel == "looks_at_neighbours") to[0] ^= from[y.bytes - 1];
  if (kernel == "needs_default_stream" && call->stream != nullptr) to[4] ^= 1;
  return ASSAY_OK;
}

/// A stream of the host: while it captures, calls are kept for later.
struct Stream {
  bool captures = false;
  std::vector<std::function<void()>> kept;
};
using Graph = std::vector<std::function<void()>>;

Stream& stream_of(void* stream) { return *static_cast<Stream*>(stream); }

assay_status run(const assay_call* call) {
  const bool captures = call->stream != nullptr && stream_of(call->stream).captures;
  if (!captures || std::strcmp(call->kernel, "ignores_capture") == 0) return run_now(call);
  if (std::strcmp(call->kernel, "cannot_be_captured") == 0) return say(*call, ASSAY_FAILED, "allocates while it is captured");
  stream_of(call->stream)
      .kept.push_back([kernel = std::string(call->kernel), again = *call,
                       tensors = std::vector<assay_tensor>(call->tensors, call->tensors + call->n_tensors)]() mutable {
        again.kernel = kernel.c_str();
        again.tensors = tensors.data();
        again.n_params = 0;
        run_now(&again);
      });
  return ASSAY_OK;
}

const assay_library kLibrary = [] {
  assay_library host{};
  host.abi = ASSAY_ABI_VERSION;
  host.size = sizeof(assay_library);
  host.describe = describe;
  host.run = run;
  host.create_stream = []() -> void* { return new Stream; };
  host.destroy_stream = [](void* stream) { delete &stream_of(stream); };
  host.begin_capture = [](void* stream) -> assay_status {
    stream_of(stream).captures = true;
    return ASSAY_OK;
  };
  host.end_capture = [](void* stream, void** graph) -> assay_status {
    *graph = new Graph(std::move(stream_of(stream).kept));
    stream_of(stream).captures = false;
    return ASSAY_OK;
  };
  host.replay = [](void* graph, void*) -> assay_status {
    for (const auto& call : *static_cast<Graph*>(graph)) call();
    return ASSAY_OK;
  };
  host.destroy_graph = [](void* graph) { delete static_cast<Graph*>(graph); };
  return host;
}();

}  // namespace

namespace assay::testing {
const assay_library* toy_library() { return &kLibrary; }
}  // namespace assay::testing

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) { return &kLibrary; }
