// What was found of kernels, kept in a file: a fault more is measured alone.
#pragma once

#include <map>
#include <string>

#include "suites/judges/contest.h"

namespace assay::judges {

/// By the contestant's name. Empty if there is no such file. Throws std::runtime_error naming a file that is none of
/// write_kept().
std::map<std::string, Marks> read_kept(const std::string& file);

void write_kept(const std::string& file, const std::map<std::string, Marks>& all);

}  // namespace assay::judges
