// How a kernel that is wrong on purpose is offered, its entry of describe(): one scale of a tensor, and scales that are given.
#pragma once

#include "kernels/ops/catalogue.h"
#include "kernels/ops/quant_static/groups.h"
#include "kernels/ops/quant_tile/tensor.h"

namespace assay_kernels {

template <class Rules>
Kernel of_tensors(const char* name, const char* cites) {
  return {name, "quant_tile", {Rules::kContract}, one_scale_accepts(), {}, run_tensor<Rules>, name, cites, "quant_tensor"};
}

template <class Rules>
Kernel of_given_scales(const char* name, const char* cites) {
  return {name, "quant_static", {Rules::kContract}, one_scale_accepts(), {}, run_static<Rules>, name, cites, "quant_static"};
}

template <class Rules>
Kernel of_given_groups(const char* name, const char* cites, const Values& layouts) {
  return {name,
          "quant_static",
          {Rules::kContract},
          {{"x", kAny}, {"layout", layouts}, {"warp", simt::kWarpSizes}},
          {},
          run_static_groups<Rules>,
          name,
          cites,
          "quant_static.groups"};
}

}  // namespace assay_kernels
