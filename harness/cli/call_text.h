// Describes a call as a plug-in gets it.
#pragma once

#include <string>
#include <vector>

#include "harness/core/op.h"

namespace assay {

/// Parameters, tensors (role, format, shape, strides, bytes), storage layouts, and the cells that `accepts` is compared with.
std::string call_text(const Op& op, const Case& one, const BoundCase& bound, const Problem& problem);

/// The tensors and parameters that calls of an op may have, and the cells of its cases.
std::string op_text(const Op& op, const std::vector<Case>& cases);

}  // namespace assay
