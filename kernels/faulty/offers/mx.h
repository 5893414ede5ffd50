// How a kernel that is wrong on purpose is offered, its entry of describe(): MXFP8, of a matrix and of experts.
#pragma once

#include "kernels/ops/catalogue.h"
#include "kernels/ops/quant_mx/problem.h"

namespace assay_kernels {

template <class Rules>
Kernel of_mx(const char* name, const char* cites, void (*run)(const Call&) = run_mx<Rules>, const Values& layouts = kMxLayouts,
             int64_t columns = 32) {
  return {name,
          "quant_group",
          {Rules::kContract},
          {{"x", kHalf}, {"group_size", {32}}, {"layout", layouts}, {"warp", simt::kWarpSizes}},
          {{"n", columns}},
          run,
          name,
          cites,
          "quant_mx"};
}

template <class Rules>
Kernel of_experts(const char* name, const char* cites, void (*run)(const Call&) = run_mx_experts<Rules>) {
  return {name,
          "quant_experts",
          {Rules::kContract},
          {{"x", kHalf}, {"group_size", {32}}, {"layout", kMxLayouts}, {"warp", simt::kWarpSizes}},
          {},
          run,
          name,
          cites,
          "quant_mx_experts"};
}

}  // namespace assay_kernels
