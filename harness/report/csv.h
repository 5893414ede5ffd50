// A row for each tensor of each verdict.
#pragma once

#include <string>

#include "harness/core/run.h"

namespace assay {

/// RFC 4180 with a header. A verdict without compared tensors has one row with empty tensor columns.
std::string csv_text(const RunResult& result);

}  // namespace assay
