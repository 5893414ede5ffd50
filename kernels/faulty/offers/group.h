// How a kernel that is wrong on purpose is offered, its entry of describe(): groups and tokens with scales of their own.
#pragma once

#include "kernels/ops/catalogue.h"
#include "kernels/ops/quant_group/problem.h"

namespace assay_kernels {

template <class Rules>
Accepts group_accepts(const Values& x, const Values& groups, const Values& layouts) {
  return {
      {"x", x}, {"group_size", groups}, {"layout", Rules::kPacked ? Values{"ue8m0x4_tma"} : layouts}, {"warp", simt::kWarpSizes}};
}

template <class Rules>
Kernel in_registers(const char* name, const char* cites, const Values& groups = {32, 64, 128},
                    const Values& layouts = {"row", "col", "tma"}) {
  return {name, "quant_group", {Rules::kContract},    group_accepts<Rules>(kHalf, groups, layouts), {}, run_register<Rules>,
          name, cites,         "quant_group.register"};
}

template <class Rules>
Kernel in_shared_memory(const char* name, const char* cites) {
  return {name,
          "quant_group",
          {Rules::kContract},
          group_accepts<Rules>(kAny, {32, 64, 128}, {"row", "col", "tma"}),
          {},
          run_shared<Rules>,
          name,
          cites,
          "quant_group.shared"};
}

template <class Rules>
Kernel of_tokens(const char* name, const char* cites) {
  return {name,
          "quant_group",
          {Rules::kContract},
          {{"x", kAny}, {"layout", {"row"}}, {"warp", simt::kWarpSizes}},
          {{"n", 8}},
          run_token<Rules>,
          name,
          cites,
          "quant_token"};
}

}  // namespace assay_kernels
