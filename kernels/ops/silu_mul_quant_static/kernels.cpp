#include "kernels/ops/catalogue.h"
#include "kernels/ops/silu_mul_quant_static/given.h"
#include "kernels/ops/silu_mul_quant_static/rules.h"

namespace assay_kernels {
namespace {

void silu_static_by_contract(const Call& call) {
  SiluStaticList::with(call.contract(), [&](auto rules) { run_silu_mul_quant_given<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> silu_mul_quant_static_kernels() {
  std::vector<std::string> contracts;
  SiluStaticList::append_ids(contracts, false);
  return {{"silu_mul_quant_static",
           "silu_mul_quant_static",
           contracts,
           {{"x", kHalf}, {"group_size", {"tensor"}}, {"layout", {"row"}}, {"warp", simt::kWarpSizes}},
           {{"n", 8}},
           silu_static_by_contract}};
}

}  // namespace assay_kernels
