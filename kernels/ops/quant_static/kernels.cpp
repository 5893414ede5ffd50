#include "kernels/ops/catalogue.h"
#include "kernels/ops/quant_azp/given.h"
#include "kernels/ops/quant_static/given.h"
#include "kernels/ops/quant_static/groups.h"
#include "kernels/ops/quant_static/rules.h"

namespace assay_kernels {
namespace {

using StaticList = RulesList<VllmStatic, VllmStaticFnuz, VllmStaticNative, AiterStatic, AiterStaticFnuz, VllmStaticInt8>;
using StaticAzpList = RulesList<VllmStaticInt8Azp>;

void static_by_contract(const Call& call) {
  StaticList::with(call.contract(), [&](auto rules) { run_static<decltype(rules)>(call); }) ||
      StaticAzpList::with(call.contract(), [&](auto rules) { run_static_azp<decltype(rules)>(call); });
}

using GroupsList = RulesList<VllmStaticGroup, VllmStaticGroupFnuz>;

void static_by_groups(const Call& call) {
  GroupsList::with(call.contract(), [&](auto rules) { run_static_groups<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> quant_static_kernels() {
  std::vector<std::string> contracts, of_groups;
  StaticList::append_ids(contracts, false);
  StaticAzpList::append_ids(contracts, false);
  GroupsList::append_ids(of_groups, false);
  return {{"quant_static", "quant_static", contracts, one_scale_accepts(), {}, static_by_contract},
          {"quant_static.groups", "quant_static", of_groups, static_groups_accept(), {}, static_by_groups}};
}

}  // namespace assay_kernels
