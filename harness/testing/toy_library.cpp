#include "harness/testing/toy_library.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

namespace {

const char* describe() {
  static const std::string json = [] {
    std::string kernels;
    for (const char* name : {"copy", "overruns", "underruns", "far_overrun", "unwritten", "unwritten_first", "changes_input",
                             "fails", "refuses", "loses_device", "unknown_status", "off_by_one", "follows_seed", "throws",
                             "crashes", "aborts", "exits", "hangs", "prints"}) {
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

assay_status run(const assay_call* call) {
  const std::string kernel = call->kernel;
  const assay_tensor &x = tensor(*call, "x"), &y = tensor(*call, "y");
  auto* const to = static_cast<unsigned char*>(y.data);
  auto* const from = static_cast<unsigned char*>(x.data);
  if (kernel == "refuses") return say(*call, ASSAY_UNSUPPORTED, "not on a Sunday");
  if (kernel == "fails") return say(*call, ASSAY_FAILED, "n must be\n a multiple of 7");
  if (kernel == "loses_device") return say(*call, ASSAY_DEVICE_LOST, "fell off the bus");
  if (kernel == "unknown_status") return static_cast<assay_status>(42);
  if (kernel == "throws") throw std::runtime_error("thrown on purpose");
  if (kernel == "crashes") {
    std::signal(SIGSEGV, SIG_DFL);  // a sanitizer would catch it
    ::raise(SIGSEGV);
  }
  if (kernel == "aborts") std::abort();
  if (kernel == "exits") ::_exit(7);
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
  return ASSAY_OK;
}

const assay_library kLibrary = {
    ASSAY_ABI_VERSION, sizeof(assay_library), describe, run, nullptr, nullptr, nullptr, nullptr, nullptr};

}  // namespace

namespace assay::testing {
const assay_library* toy_library() { return &kLibrary; }
}  // namespace assay::testing

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) { return &kLibrary; }
