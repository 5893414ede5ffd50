// Converts tensors of a C caller to tensors of a dump.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "harness/check/check.h"
#include "harness/core/dumped.h"

namespace assay {

/// File name of such tensors in DumpedTensor::place(); without_file() removes it from messages.
inline constexpr const char* kGiven = "given";

/// Copies what the caller described. Throws UsageError naming the tensor: a NULL, an unknown dtype, a shape or strides that are
/// impossible, a role that stands twice.
DumpedRoles given_tensors(const assay_check_tensor* tensors, int32_t count);

/// Throws UsageError for a NULL name or value, and for a repeated name.
std::map<std::string, std::string> given_parameters(const assay_check_parameter* parameters, int32_t count);

/// The message without "given: ".
std::string without_file(std::string message);

}  // namespace assay
