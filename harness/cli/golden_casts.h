// golden/casts/<profile>.csv: every cast of the contract tables as runs of all its inputs.
#pragma once

#include <functional>
#include <map>
#include <string>

namespace assay {

/// The text of each cast's file, by its path under root/casts.
std::map<std::string, std::string> cast_runs(const std::string& root);

/// Says of each file what is wrong with it: missing, no longer a cast, or the first line that the reference gives otherwise.
void check_cast_runs(const std::string& root, const std::function<void(const std::string& file, const std::string& what)>& say);

}  // namespace assay
