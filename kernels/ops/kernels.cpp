// The ops of ops.inc, one after the other.
#include "kernels/ops/catalogue.h"

#include <algorithm>

namespace assay_kernels {

#define ASSAY_OP(op) std::vector<Kernel> op##_kernels();
#include "kernels/ops/ops.inc"
#undef ASSAY_OP

std::vector<Kernel> all_kernels() {
  return assay::plugin::joined({
#define ASSAY_OP(op) op##_kernels(),
#include "kernels/ops/ops.inc"
#undef ASSAY_OP
  });
}

std::vector<Kernel> kernels_of(const std::string& arch) {
  std::vector<Kernel> kernels = all_kernels();
  if (arch.empty()) return kernels;
  const std::string chip = arch.substr(0, arch.find(':'));
  for (Kernel& kernel : kernels) {
    if (kernel.op != "mma" && kernel.op != "gemm_scaled") continue;
    // "sm_90.mma.f16.f32" begins with the chip, "torch.scaled_mm_row.sm_90" ends with it.
    const std::string place = kernel.op == "mma" ? chip + "." : "." + chip;
    const auto of_another = [&](const std::string& contract) {
      if (contract.size() < place.size()) return true;
      return contract.compare(kernel.op == "mma" ? 0 : contract.size() - place.size(), place.size(), place) != 0;
    };
    kernel.contracts.erase(std::remove_if(kernel.contracts.begin(), kernel.contracts.end(), of_another), kernel.contracts.end());
  }
  kernels.erase(std::remove_if(kernels.begin(), kernels.end(), [](const Kernel& kernel) { return kernel.contracts.empty(); }), kernels.end());
  return kernels;
}

}  // namespace assay_kernels
