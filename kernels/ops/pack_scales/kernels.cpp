#include "kernels/ops/catalogue.h"
#include "kernels/ops/pack_scales/pack.h"

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

}  // namespace assay_kernels
