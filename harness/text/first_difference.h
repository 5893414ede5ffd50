// Where two texts begin to differ.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace assay {

struct LineDifference {
  int64_t line = 1;  ///< of both texts
  std::string a, b;  ///< the line in each; empty where a text has ended
};

/// The first line in which two texts differ, if any does; the empty one after the last if only the final line break does.
std::optional<LineDifference> first_difference(const std::string& a, const std::string& b);

}  // namespace assay
