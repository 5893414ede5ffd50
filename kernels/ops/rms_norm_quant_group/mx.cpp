#include "kernels/ops/rms_norm_quant_group/mx.h"

#include "kernels/ops/rms_norm_quant_group/apart.h"

namespace assay_kernels {

Kernel norm_of_mx_blocks() {
  return {"rms_norm_quant_mx",
          "rms_norm_quant_group",
          {VllmAddNormMxfp8::kContract},
          {{"x", kHalf}, {"group_size", {32}}, {"layout", {"e8m0_128x4"}}, {"warp", simt::kWarpSizes}},
          {},
          run_rms_norm_quant_mx<VllmAddNormMxfp8>};
}

}  // namespace assay_kernels
