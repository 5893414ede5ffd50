// assay power: which fills of the quick tier tell which faults from their contract. assay sharpness: how little its contracts
// leave open at a real hidden size.
#include "harness/cli/places.h"
#include "harness/cli/verbs.h"
#include "harness/diagnosis/power_table.h"
#include "harness/diagnosis/sharpness.h"
#include "suites/registry.h"

namespace assay {

int power_verb(const PowerArguments& arguments) {
  Selection quick{.suites = {"quick"}, .cases = {}, .arch = {}, .warp = {}};
  if (!arguments.op.empty()) quick.suites = {find_op(arguments.op).name + "/quick"};
  const std::string table = power_table(all_ops(), open_selected_cases(quick));
  return put_table("assay power", table, arguments.write, arguments.check);
}

int sharpness_verb(const PowerArguments& arguments) {
  Selection selection{.suites = {"quick", "full"}, .cases = {}, .arch = {}, .warp = {}};
  if (!arguments.op.empty()) selection.suites = {arguments.op + "/quick", arguments.op + "/full"};
  std::vector<Case> cases = open_selected_cases(selection);
  std::erase_if(cases, [](const Case& one) {
    const auto n = one.parameters.find("n"), fill = one.parameters.find("fill");
    return n == one.parameters.end() || n->second != "7168" || fill == one.parameters.end() || fill->second != "normal";
  });
  return put_table("assay sharpness", sharpness_table(all_ops(), cases), arguments.write, arguments.check);
}

}  // namespace assay
