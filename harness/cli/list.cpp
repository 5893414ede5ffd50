#include <cstdio>

#include "harness/cli/places.h"
#include "harness/cli/verbs.h"
#include "harness/core/error.h"

namespace assay {

int list_verb(const Selection& selection) {
  for (const Case& one : open_selected_cases(selection)) std::printf("%s\n", one.id.c_str());
  return kAllAsExpected;
}

}  // namespace assay
