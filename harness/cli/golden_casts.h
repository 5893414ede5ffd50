// golden/casts/<profile>.csv: every cast of the contract tables as runs of all its inputs.
#pragma once

#include <functional>
#include <string>

namespace assay {

/// Writes the file of each cast under root/casts. Returns how many.
int write_cast_runs(const std::string& root);

/// Says of each file what is wrong with it: missing, no longer a cast, or the first line that the reference gives otherwise.
void check_cast_runs(const std::string& root, const std::function<void(const std::string& file, const std::string& what)>& say);

}  // namespace assay
