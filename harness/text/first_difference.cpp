#include "harness/text/first_difference.h"

#include <sstream>

namespace assay {

std::optional<LineDifference> first_difference(const std::string& a, const std::string& b) {
  if (a == b) return std::nullopt;
  std::istringstream lines_of_a(a), lines_of_b(b);
  for (int64_t line = 1;; ++line) {
    LineDifference at{line, {}, {}};
    const bool more_a = bool(std::getline(lines_of_a, at.a)), more_b = bool(std::getline(lines_of_b, at.b));
    if (!more_a || !more_b || at.a != at.b) return at;
  }
}

}  // namespace assay
