// From a user's tensors to a case of an op that works row by row: what shapes and formats say about m, n, groups and layouts.
#pragma once

#include "harness/core/op.h"

namespace assay {

/// Rows and columns; more dimensions than two are rows of rows.
std::vector<int64_t> as_matrix(const std::vector<int64_t>& shape);

/// "[4, 1024]"
std::string shape_text(const std::vector<int64_t>& shape);

/// The tensor of that role. Throws UsageError saying what there is.
const DumpedTensor& dumped_role(const DumpedRoles& roles, const char* name);

/// Throws UsageError for a parameter that is no column of the op.
void require_known_parameters(const Op& op, const DumpRequest& request);

/// m and n come from x, the weights' format from gamma; the group is the one of the contract's that makes the shape of the scales, the
/// layout the one of the contract's whose type, shape, strides or storage they have. Throws UsageError: no x, a parameter that is missing
/// or unknown, scales that fit no group or several.
DumpCase row_case_of_dump(const Op& op, const DumpRequest& request);

}  // namespace assay
