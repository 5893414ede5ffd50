#include "kernels/ops/catalogue.h"
#include "kernels/ops/shuffle_weight/shuffle.h"

namespace assay_kernels {

std::vector<Kernel> shuffle_weight_kernels() {
  const auto kernel = [](auto rules) {
    using Rules = decltype(rules);
    return Kernel{"shuffle_weight", "shuffle_weight", {Rules::kContract}, {{"warp", simt::kWarpSizes}}, {}, run_shuffle<Rules>};
  };
  return {kernel(AiterShuffle16{}), kernel(AiterShuffle32{}), kernel(Unshuffle16{}), kernel(Unshuffle32{})};
}

}  // namespace assay_kernels
