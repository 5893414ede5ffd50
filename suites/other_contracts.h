// The contracts that a kernel may obey by mistake instead of the contract of its case.
#pragma once

#include <vector>

#include "harness/diagnosis/diagnose.h"

namespace assay {

/// The contracts of the case's op under which a kernel receives the same call as in this case; for look_for_causes(). Contracts
/// with the fewest different cells come first. Needs an open contract registry.
std::vector<OtherContract> other_contracts(const Case& one, const Problem& problem);

}  // namespace assay
