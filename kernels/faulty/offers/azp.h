// How a kernel that is wrong on purpose is offered, its entry of describe(): int8 with a zero point.
#pragma once

#include "kernels/ops/catalogue.h"
#include "kernels/ops/quant_azp/token.h"
#include "kernels/ops/quant_static/groups.h"

namespace assay_kernels {

template <class Rules>
Kernel of_given_zero_points(const char* name, const char* cites) {
  return {name, "quant_static", {Rules::kContract}, one_scale_accepts(), {}, run_static_azp<Rules>, name, cites, "quant_static"};
}

template <class Rules>
Kernel of_zero_points(const char* name, const char* cites) {
  return {name,
          "quant_azp",
          {Rules::kContract},
          {{"x", kAny}, {"layout", {"row"}}, {"warp", simt::kWarpSizes}},
          {{"n", 8}},
          run_token_azp<Rules>,
          name,
          cites,
          "quant_token_azp"};
}

}  // namespace assay_kernels
