// Finds the first difference between two texts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace assay {

struct LineDifference {
  int64_t line = 1;  ///< line number in both texts
  std::string a, b;  ///< that line in each text; empty if the text has ended
};

/// The first line that differs, if any. If only the final line break differs, that is the empty line after the last one.
std::optional<LineDifference> first_difference(const std::string& a, const std::string& b);

}  // namespace assay
