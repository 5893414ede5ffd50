// A column or key of a report with its description, which `assay docs` prints.
#pragma once

#include <string>

namespace assay {

struct ReportField {
  std::string name, meaning;
};

}  // namespace assay
