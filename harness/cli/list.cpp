#include <cstdio>

#include "harness/cli/call_text.h"
#include "harness/cli/places.h"
#include "harness/cli/verbs.h"
#include "harness/core/error.h"
#include "suites/registry.h"

namespace assay {

int list_verb(const ListArguments& arguments) {
  if (!arguments.op.empty()) {
    const std::vector<Case> cases = open_cases();
    std::printf("%s", op_text(find_op(arguments.op), cases).c_str());
    return kAllAsExpected;
  }
  for (const Case& one : open_selected_cases(arguments.selection)) std::printf("%s\n", one.id.c_str());
  return kAllAsExpected;
}

}  // namespace assay
