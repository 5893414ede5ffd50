// What storage of a tensor of scales that holds no scale must be.
#pragma once

#include <string>

#include "harness/core/expectation.h"

namespace assay {

/// The rule of a contract's `pad` cell ("k:00 rows:untouched") for that kind of place.
PaddingRule padding_rule(const std::string& rules, const std::string& kind);

}  // namespace assay
