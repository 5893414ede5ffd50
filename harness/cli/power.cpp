// assay power: which fills of the quick tier tell which faults from their contract.
#include <fmt/format.h>

#include "harness/cli/places.h"
#include "harness/cli/verbs.h"
#include "harness/core/error.h"
#include "harness/core/section.h"
#include "harness/diagnosis/power_table.h"
#include "suites/registry.h"

namespace assay {

int power_verb(const PowerArguments& arguments) {
  constexpr const char* kSection = "assay power";
  Selection quick{.suites = {"quick"}, .cases = {}, .arch = {}, .warp = {}};
  if (!arguments.op.empty()) quick.suites = {find_op(arguments.op).name + "/quick"};
  const std::string table = power_table(all_ops(), open_selected_cases(quick));
  if (!arguments.write.empty()) {
    fmt::print("{} {}\n", arguments.write, write_section(arguments.write, kSection, table) ? "written" : "is up to date");
    return kAllAsExpected;
  }
  if (arguments.check.empty()) {
    fmt::print("{}", table);
    return kAllAsExpected;
  }
  const std::string difference = section_difference(arguments.check, kSection, table);
  if (difference.empty()) return kAllAsExpected;
  fmt::print("{}\nrewrite it: assay power --write {}\n", difference, arguments.check);
  return kUnexpected;
}

}  // namespace assay
