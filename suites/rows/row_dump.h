// Converts a user's tensors to a case of a row-wise op: infers m, n, groups and layouts from shapes and formats.
#pragma once

#include "harness/core/op.h"

namespace assay {

/// Rows and columns; leading dimensions are flattened into rows.
std::vector<int64_t> as_matrix(const std::vector<int64_t>& shape);

/// "[4, 1024]"
std::string shape_text(const std::vector<int64_t>& shape);

/// The tensor of that role. Throws UsageError listing the tensors there are.
const DumpedTensor& dumped_role(const DumpedRoles& roles, const char* name);

/// Throws UsageError for a parameter that is not a column of the op.
void require_known_parameters(const Op& op, const DumpRequest& request);

/// m and n come from x, the weights' format from gamma. The group is the contract's group that gives the shape of the scales; the
/// layout is the contract's layout with their type, shape, strides or storage. Throws UsageError: no x, a missing or unknown
/// parameter, scales that fit no group or several.
DumpCase row_case_of_dump(const Op& op, const DumpRequest& request);

}  // namespace assay
