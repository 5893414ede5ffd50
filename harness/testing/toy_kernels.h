// The kernels of the toy library (toy_library.h), call by call.
#pragma once

#include <string>
#include <vector>

#include "assay/abi.h"

namespace assay::testing::toy {

/// The names of all kernels that run alone, in alphabetical order.
std::vector<std::string> names();

/// Runs a call at once. A kernel without a line of its own copies x to y: the library offers names for its workspace, its streams
/// and its ranks, which are not this file's. Throws what a kernel throws.
assay_status run_now(const assay_call& call);

/// Throws std::runtime_error if the call has no such tensor.
const assay_tensor& tensor(const assay_call& call, const char* role);

/// Puts the words where the caller finds them.
/// @return the status
assay_status say(const assay_call& call, assay_status status, const char* words);

}  // namespace assay::testing::toy
