// The list of ops: the only such list in the host code.
#pragma once

#include <span>

#include "harness/core/op.h"

namespace assay {

std::span<const Op> all_ops();

/// Throws std::out_of_range with near matches.
const Op& find_op(std::string_view name);

}  // namespace assay
