// The op that goes with toy_library: y is x, bit for bit.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/core/call.h"
#include "harness/core/op.h"

namespace assay::testing {

/// Columns: contract, format, m, n, fill, seed, warp. `format` is of both tensors.
Op toy_op();

/// A case of that op without a table.
Case toy_case(const std::string& format = "bf16", const std::string& shape = "2x8");

/// toy_library() in this process.
Backend toy_backend();

/// A problem with x [m, n] = 1, 2, 3, ... (as codes) and y like it.
Problem toy_problem(const Format& format, int64_t m, int64_t n);

}  // namespace assay::testing
