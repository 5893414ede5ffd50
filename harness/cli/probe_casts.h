// Finds which casts of the contract tables the conversions of a device obey, whatever name they advertise.
#pragma once

#include <string>

#include "harness/core/call.h"

namespace assay {

/// Tests every kernel of op cast that matches the glob, for each format that it takes. Inputs lie on both sides of every place
/// where a cast to the same format, or one of its mutants, changes its code. Counts the conversions in `probed`. Prints the
/// result and returns the exit code: "not as expected" if a conversion obeys no cast, or not the one it is named after. Needs an
/// open contract registry.
int probe_casts(const Backend& backend, const std::string& kernel_glob, int& probed);

}  // namespace assay
