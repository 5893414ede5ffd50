// How a kernel that is wrong on purpose is offered, its entry of describe(): SiLU-and-mul before groups.
#pragma once

#include "kernels/ops/catalogue.h"
#include "kernels/ops/silu_mul_quant_group/mx.h"
#include "kernels/ops/silu_mul_quant_group/problem.h"
#include "kernels/ops/silu_mul_quant_group/token.h"
#include "kernels/ops/silu_mul_quant_masked/masked.h"

namespace assay_kernels {

template <class Rules>
Kernel of_gated_groups(const char* name, const char* cites, const Values& layouts = {"row", "col", "tma"}) {
  return {name,
          "silu_mul_quant_group",
          {Rules::kContract},
          {{"x", kHalf},
           {"group_size", {32, 64, 128}},
           {"layout", Rules::kPacked ? Values{"ue8m0x4_tma"} : layouts},
           {"warp", simt::kWarpSizes}},
          {},
          run_silu_mul_quant_group<Rules>,
          name,
          cites,
          "silu_mul_quant_group"};
}

template <class Rules>
Kernel of_gated_tokens(const char* name, const char* cites) {
  return {name,
          "silu_mul_quant_group",
          {Rules::kContract},
          {{"x", kHalf}, {"layout", {"row"}}, {"warp", simt::kWarpSizes}},
          {{"n", 16}},
          run_silu_mul_quant_token<Rules>,
          name,
          cites,
          "silu_mul_quant_token"};
}

template <class Rules>
Kernel of_gated_mx(const char* name, const char* cites) {
  return {name,
          "silu_mul_quant_group",
          {Rules::kContract},
          {{"x", kHalf}, {"group_size", {32}}, {"layout", {"e8m0_128x4"}}, {"warp", simt::kWarpSizes}},
          {},
          run_silu_mul_quant_mx<Rules>,
          name,
          cites,
          "silu_mul_quant_mx"};
}

template <class Rules>
Kernel of_masked(const char* name, const char* cites) {
  return {name,
          "silu_mul_quant_masked",
          {Rules::kContract},
          {{"x", {"bf16"}},
           {"group_size", {128}},
           {"layout", Rules::kPacked ? Values{"ue8m0x4_col"} : Values{"col"}},
           {"warp", simt::kWarpSizes}},
          {},
          run_silu_mul_quant_masked<Rules>,
          name,
          cites,
          "silu_mul_quant_masked"};
}

}  // namespace assay_kernels
