// assay sharpness: widths of the accepted intervals at a realistic hidden size.
#include "harness/diagnosis/sharpness.h"

#include "harness/cli/derived.h"
#include "harness/cli/places.h"
#include "harness/cli/verbs.h"
#include "suites/registry.h"

namespace assay {

// Filters tiers here instead of with a Selection, which throws if a table has no case of the full tier.
std::string sharpness_now(std::vector<Case> cases) {
  std::erase_if(cases, [](const Case& one) {
    const auto n = one.parameters.find("n"), fill = one.parameters.find("fill");
    return (one.tier != "quick" && one.tier != "full") || n == one.parameters.end() || n->second != "7168" ||
           fill == one.parameters.end() || fill->second != "normal";
  });
  return sharpness_table(all_ops(), cases);
}

int sharpness_verb(const PowerArguments& arguments) {
  Selection selection;
  if (!arguments.op.empty()) selection.suites = {arguments.op};
  const std::vector<Case> cases = open_selected_cases(selection);
  return put_table("assay sharpness", [&] { return sharpness_now(cases); }, arguments.write, arguments.check);
}

}  // namespace assay
