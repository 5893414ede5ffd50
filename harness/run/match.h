// Decides which kernels can run a case.
#pragma once

#include <string>

#include "harness/core/call.h"

namespace assay {

/// Why a kernel cannot run a case; empty if it can. Compares parameters by name; `contract` is the only one it treats specially.
std::string why_not_offered(const KernelOffer& offer, const Case& one);

}  // namespace assay
