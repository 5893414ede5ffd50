#include "kernels/ops/act_and_mul/act_and_mul.h"
#include "kernels/ops/catalogue.h"

namespace assay_kernels {
namespace {

void act_by_contract(const Call& call) {
  ActList::with(call.contract(), [&](auto rules) { run_act_and_mul<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> act_and_mul_kernels() {
  std::vector<std::string> contracts;
  ActList::append_ids(contracts, false);
  return {{"act_and_mul", "act_and_mul", contracts, {{"x", kAny}, {"warp", simt::kWarpSizes}}, {}, act_by_contract}};
}

}  // namespace assay_kernels
