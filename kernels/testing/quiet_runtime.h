// What devices of tests have in common: errors are numbers, and streams and graphs do nothing.
#pragma once

#include <string>

#include "assay/plugin/library.hpp"

namespace assay_kernels {

struct QuietRuntime {
  using Error = int;
  static constexpr Error kSuccess = 0, kBad = 1;
  static std::string identify(assay::plugin::Identity& identity) { return identity.arch = "toy", ""; }
  static Error take_last_error() { return kSuccess; }
  static Error create_stream(void**) { return kSuccess; }
  static Error destroy_stream(void*) { return kSuccess; }
  static Error begin_capture(void*) { return kSuccess; }
  static Error end_capture(void*, void**) { return kSuccess; }
  static Error replay(void*, void*) { return kSuccess; }
  static Error destroy_graph(void*) { return kSuccess; }
  static std::string text(Error error) { return "error " + std::to_string(error); }
  static assay_status status_of(Error error) { return error == kSuccess ? ASSAY_OK : ASSAY_DEVICE_LOST; }
};

}  // namespace assay_kernels
