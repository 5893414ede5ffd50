// The answer of assay_get_library() for kernels that work on host memory.
#pragma once

#include "assay/abi.h"

namespace assay_kernels {

/// No memory of its own, no streams.
inline assay_library host_library(const char* (*describe)(), assay_status (*run)(const assay_call*)) {
  assay_library host{};
  host.abi = ASSAY_ABI_VERSION;
  host.size = sizeof(assay_library);
  host.describe = describe;
  host.run = run;
  return host;
}

}  // namespace assay_kernels
