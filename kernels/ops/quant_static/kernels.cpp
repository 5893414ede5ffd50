#include "kernels/ops/catalogue.h"
#include "kernels/ops/quant_static/given.h"
#include "kernels/ops/quant_static/rules.h"

namespace assay_kernels {
namespace {

using StaticList = RulesList<VllmStatic, VllmStaticFnuz, VllmStaticNative, AiterStatic, AiterStaticFnuz>;

void by_contract(const Call& call) {
  StaticList::with(call.contract(), [&](auto rules) { run_static<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> quant_static_kernels() {
  std::vector<std::string> contracts;
  StaticList::append_ids(contracts, false);
  return {{"quant_static", "quant_static", contracts, one_scale_accepts(), {}, by_contract}};
}

}  // namespace assay_kernels
