#include "harness/diagnosis/places.h"

namespace assay {

std::string runs_text(const std::set<int64_t>& numbers) {
  constexpr int kMostRuns = 8;
  std::string text;
  int runs = 0;
  for (auto at = numbers.begin(); at != numbers.end();) {
    const int64_t first = *at;
    int64_t last = first;
    while (++at != numbers.end() && *at == last + 1) ++last;
    if (runs++ == kMostRuns) return text + ", ... (" + std::to_string(numbers.size()) + " in all)";
    text.append(text.empty() ? "" : ", ").append(std::to_string(first));
    if (last > first) text.append("..").append(std::to_string(last));
  }
  return text;
}

std::string PlacesFound::text() const {
  return std::string(rows.size() == 1 ? "row " : "rows ") + runs_text(rows) + "; " +
         (columns.size() == 1 ? "group " : "groups ") + runs_text(columns);
}

}  // namespace assay
