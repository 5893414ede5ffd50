// Rules for the storage of a scale tensor that holds no scale.
#pragma once

#include <string>

#include "harness/core/expectation.h"

namespace assay {

/// The rule for a kind of place, from a contract's `pad` cell ("k:00 rows:untouched").
PaddingRule padding_rule(const std::string& rules, const std::string& kind);

}  // namespace assay
