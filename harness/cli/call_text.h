// A call as a plug-in gets it, in words.
#pragma once

#include <string>
#include <vector>

#include "harness/core/op.h"

namespace assay {

/// Parameters, tensors by role with formats, shapes, strides and bytes, where elements lie, and the cells that `accepts` is held
/// against.
std::string call_text(const Op& op, const Case& one, const BoundCase& bound, const Problem& problem);

/// What calls of an op may have, and the cells of its cases.
std::string op_text(const Op& op, const std::vector<Case>& cases);

}  // namespace assay
