#include "kernels/ops/weak_contiguity/accepted.h"

namespace assay_kernels {

std::vector<Kernel> weak_contiguity_kernels() {
  return {contiguity_row<WeakContiguousRules>("weak_contiguity.weak", {"vllm.weak_contiguous", "vllm.weak_contiguous@v0.33.0"}),
          contiguity_row<ContiguousRules>("weak_contiguity.whole", {"sglang.contiguous"})};
}

}  // namespace assay_kernels
