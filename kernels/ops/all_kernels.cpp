// All kernels of the ops in ops.inc, and the subset that a given GPU can run.
#include <algorithm>
#include <string>

#include "kernels/ops/call.h"

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

#define ASSAY_CHIP_OP(op) std::string op##_chip(const std::string& contract);
#include "kernels/ops/chip_ops.inc"
#undef ASSAY_CHIP_OP

namespace {

/// The architecture whose instructions the contract describes; empty if the contract is for any GPU.
std::string chip_of(const std::string& op, const std::string& contract) {
#define ASSAY_CHIP_OP(name) \
  if (op == #name) return name##_chip(contract);
#include "kernels/ops/chip_ops.inc"
#undef ASSAY_CHIP_OP
  return "";
}

}  // namespace

std::vector<Kernel> kernels_of(const std::string& arch) {
  std::vector<Kernel> kernels = all_kernels();
  if (arch.empty()) return kernels;
  const std::string chip = arch.substr(0, arch.find(':'));
  for (Kernel& kernel : kernels) {
    const auto of_another = [&](const std::string& contract) {
      const std::string own = chip_of(kernel.op, contract);
      return !own.empty() && own != chip;
    };
    kernel.contracts.erase(std::remove_if(kernel.contracts.begin(), kernel.contracts.end(), of_another), kernel.contracts.end());
  }
  kernels.erase(std::remove_if(kernels.begin(), kernels.end(), [](const Kernel& kernel) { return kernel.contracts.empty(); }), kernels.end());
  return kernels;
}

}  // namespace assay_kernels
