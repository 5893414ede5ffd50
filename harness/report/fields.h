// A column or a key of a report, with its meaning: `assay docs` prints them.
#pragma once

#include <string>

namespace assay {

struct ReportField {
  std::string name, meaning;
};

}  // namespace assay
