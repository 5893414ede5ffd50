// Which casts of the table the conversions of a device obey, whatever they are called.
#pragma once

#include <string>

#include "harness/core/call.h"

namespace assay {

/// Every kernel of op cast that the glob matches, from each format that it takes, on both sides of every place where any cast to
/// the same format, or a mistake of one, changes its code. Counts them in `probed`. Prints, and gives the exit code: unexpected
/// where a conversion obeys none, or not the one that it is called by. Needs an open rulebook.
int probe_casts(const Backend& backend, const std::string& kernel_glob, int& probed);

}  // namespace assay
