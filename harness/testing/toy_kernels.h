// The kernels of the toy library (toy_library.h).
#pragma once

#include <string>
#include <vector>

#include "assay/abi.h"

namespace assay::testing::toy {

/// Names of all single-rank kernels, in alphabetical order.
std::vector<std::string> names();

/// Runs a call immediately. A kernel that the table does not list copies x to y: some names only select behaviour of the library
/// (workspace, streams, ranks). Passes on exceptions of the kernel.
assay_status run_now(const assay_call& call);

/// Throws std::runtime_error if the call has no such tensor.
const assay_tensor& tensor(const assay_call& call, const char* role);

/// Stores the message for the caller.
/// @return the status
assay_status say(const assay_call& call, assay_status status, const char* words);

}  // namespace assay::testing::toy
