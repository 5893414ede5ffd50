// The kernel table of pack_scales, shuffle_weight and weak_contiguity, which describe() of the C ABI lists.
#include "kernels/ops/call.h"
#include "kernels/ops/layouts/pack_scales_kernel.h"
#include "kernels/ops/layouts/shuffle_weight_kernel.h"

namespace assay_kernels {
namespace {

using Packers = PackList<DeepgemmPack25, DeepgemmPack26, DeepgemmPackPsum26, DeepgemmPackTorch, DeepgemmMnMajorTmaAlignedF32>;

void pack_by_contract(const Call& call) {
  Packers::with(call.contract(), [&](auto rules) { run_pack<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> pack_scales_kernels() {
  std::vector<std::string> contracts;
  Packers::append_ids(contracts);
  return {{"pack_scales", "pack_scales", contracts, pack_accepts(), {}, pack_by_contract}};
}

std::vector<Kernel> shuffle_weight_kernels() {
  const auto kernel = [](auto rules) {
    using Rules = decltype(rules);
    return Kernel{"shuffle_weight", "shuffle_weight", {Rules::kContract}, {{"warp", simt::kWarpSizes}}, {}, run_shuffle<Rules>};
  };
  return {kernel(AiterShuffle16{}), kernel(AiterShuffle32{}), kernel(Unshuffle16{}), kernel(Unshuffle32{})};
}

std::vector<Kernel> weak_contiguity_kernels() {
  return {contiguity_row<WeakContiguousRules>("weak_contiguity.weak", {"vllm.weak_contiguous", "vllm.weak_contiguous@v0.33.0"}),
          contiguity_row<ContiguousRules>("weak_contiguity.whole", {"sglang.contiguous"})};
}

}  // namespace assay_kernels
