// assay power: which input generators of the quick tier kill which mutants.
#include "harness/cli/places.h"
#include "harness/cli/recorded_power.h"
#include "harness/cli/verbs.h"
#include "harness/diagnosis/power_table.h"
#include "suites/registry.h"

namespace assay {

int power_verb(const PowerArguments& arguments) {
  Selection quick{.suites = {"quick"}, .cases = {}, .arch = {}, .warp = {}};
  if (!arguments.op.empty()) quick.suites = {arguments.suites.ops->find(arguments.op).name + "/quick"};
  const std::vector<Case> cases = open_selected_cases(arguments.suites, quick);
  const auto table = [&] {
    size_t computed = 0;
    const std::map<std::string, Power> powers = powers_of(*arguments.suites.ops, cases, recorded_power(cases), computed);
    return power_table(arguments.suites.ops->all(), cases, [&](const Case& one) { return powers.at(one.data_id()); });
  };
  return put_table("assay power", table, arguments.write, arguments.check);
}

}  // namespace assay
