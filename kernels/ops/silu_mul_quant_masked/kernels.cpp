#include "kernels/ops/catalogue.h"
#include "kernels/ops/silu_mul_quant_masked/masked.h"
#include "kernels/ops/silu_mul_quant_masked/rules.h"

namespace assay_kernels {
namespace {

void silu_masked_by_contract(const Call& call) {
  SiluMaskedList::with(call.contract(), [&](auto rules) { run_silu_mul_quant_masked<decltype(rules)>(call); });
}

Kernel silu_masked_of_layouts(bool packed, const Values& layouts) {
  std::vector<std::string> contracts;
  SiluMaskedList::append_ids(contracts, packed);
  return {"silu_mul_quant_masked",
          "silu_mul_quant_masked",
          contracts,
          {{"x", {"bf16"}}, {"group_size", {128}}, {"layout", layouts}, {"warp", simt::kWarpSizes}},
          {},
          silu_masked_by_contract};
}

}  // namespace

std::vector<Kernel> silu_mul_quant_masked_kernels() {
  return {silu_masked_of_layouts(false, {"col"}), silu_masked_of_layouts(true, {"ue8m0x4_col"})};
}

}  // namespace assay_kernels
