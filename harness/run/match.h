// Which kernels are for which cases.
#pragma once

#include <string>

#include "harness/core/call.h"

namespace assay {

/// Why a kernel is not for a case, in words; empty if it is. Compares parameters by name and knows none of them but `contract`.
std::string why_not_offered(const KernelOffer& offer, const Case& one);

}  // namespace assay
