// How a kernel that is wrong on purpose is offered, its entry of describe(): rms_norm with and without a residual.
#pragma once

#include "kernels/ops/catalogue.h"
#include "kernels/ops/fused_add_rms_norm/rules.h"
#include "kernels/ops/rms_norm/rms_norm.h"

namespace assay_kernels {

template <class Rules>
Kernel of_norms(const char* name, const char* cites, const Values& x = kAny) {
  return {name, "rms_norm", {Rules::kContract}, {{"x", x}, {"warp", simt::kWarpSizes}}, {}, run_rms_norm<Rules>,
          name, cites,      "rms_norm"};
}

template <class Rules>
Kernel of_added_norms(const char* name, const char* cites, const Values& x = kAny) {
  return {name,  "fused_add_rms_norm", {Rules::kContract}, {{"x", x}, {"warp", simt::kWarpSizes}}, {}, run_rms_norm<Rules>, name,
          cites, "fused_add_rms_norm"};
}

}  // namespace assay_kernels
