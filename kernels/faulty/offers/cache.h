// How a kernel that is wrong on purpose is offered, its entry of describe(): paged caches, and launches that fill them.
#pragma once

#include "kernels/ops/catalogue.h"

namespace assay_kernels {

/// The healthy twin has the name of the op.
template <class Rules>
Kernel of_caches(const char* op, void (*run)(const Call&), const char* name, const char* cites, const Values& x = kHalf) {
  return {name, op, {Rules::kContract}, {{"x", x}, {"warp", simt::kWarpSizes}}, {}, run, name, cites, op};
}

}  // namespace assay_kernels
