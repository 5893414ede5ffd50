// assay sharpness: widths of the accepted intervals at a realistic hidden size.
#include "harness/diagnosis/sharpness.h"

#include "harness/cli/derived.h"
#include "harness/cli/places.h"
#include "harness/cli/verbs.h"
#include "suites/registry.h"

namespace assay {

// A table may hold no case of the full tier, which is no suite then: so the tiers are asked for here, not in a Selection.
std::string sharpness_now(const OpRegistry& ops, std::vector<Case> cases) {
  std::erase_if(cases, [](const Case& one) {
    const auto n = one.parameters.find("n"), fill = one.parameters.find("fill");
    return (one.tier != "quick" && one.tier != "full") || n == one.parameters.end() || n->second != "7168" ||
           fill == one.parameters.end() || fill->second != "normal";
  });
  return sharpness_table(ops.all(), cases);
}

int sharpness_verb(const PowerArguments& arguments) {
  Selection selection;
  if (!arguments.op.empty()) selection.suites = {arguments.op};
  const std::vector<Case> cases = open_selected_cases(arguments.suites, selection);
  return put_table("assay sharpness", [&] { return sharpness_now(*arguments.suites.ops, cases); }, arguments.write, arguments.check);
}

}  // namespace assay
