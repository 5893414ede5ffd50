// golden/casts/<profile>.csv: every cast of the contract tables, over all inputs, run-length encoded.
#pragma once

#include <functional>
#include <map>
#include <string>

namespace assay {

/// The text of each cast's file, by its path under root/casts.
std::map<std::string, std::string> cast_runs(const std::string& root);

/// Reports what is wrong with each file: missing, of an unknown cast, or the first line that the reference computes differently.
void check_cast_runs(const std::string& root, const std::function<void(const std::string& file, const std::string& what)>& say);

}  // namespace assay
