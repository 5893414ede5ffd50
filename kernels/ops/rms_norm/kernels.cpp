#include "kernels/ops/catalogue.h"
#include "kernels/ops/rms_norm/rms_norm.h"

namespace assay_kernels {
namespace {

void by_contract(const Call& call) {
  if (call.contract() == VllmRmsNormV0191::kContract) return run_rms_norm<VllmRmsNormV0191>(call);
  run_rms_norm<VllmRmsNorm20260618>(call);
}

}  // namespace

std::vector<Kernel> rms_norm_kernels() {
  return {{"rms_norm",
           "rms_norm",
           {VllmRmsNormV0191::kContract, VllmRmsNorm20260618::kContract},
           {{"x", R"(["bf16", "f16", "f32"])"}, {"warp", simt::kWarpSizes}},
           {{"n", "8"}},
           by_contract}};
}

}  // namespace assay_kernels
