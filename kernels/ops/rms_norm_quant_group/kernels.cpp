#include "kernels/ops/catalogue.h"
#include "kernels/ops/rms_norm_quant_group/rms_norm_quant_group.h"

namespace assay_kernels {

std::vector<Kernel> rms_norm_quant_group_kernels() {
  return {{"rms_norm_quant_group",
           "rms_norm_quant_group",
           {NormGroupPacked::kContract},
           {{"x", R"(["bf16", "f16"])"},
            {"group_size", "[32, 64, 128]"},
            {"layout", R"(["ue8m0x4_tma"])"},
            {"warp", simt::kWarpSizes}},
           {{"n", "8"}},
           run_rms_norm_quant_group<NormGroupPacked>}};
}

}  // namespace assay_kernels
