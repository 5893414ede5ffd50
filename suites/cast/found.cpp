#include "suites/cast/found.h"

#include <fmt/format.h>

#include <algorithm>

#include "suites/cast/words.h"

namespace assay {
namespace {

constexpr size_t kMostLines = 12;

}  // namespace

std::vector<std::string> disagreements_in_words(const CastProfile& p, const std::vector<RunDifference>& found) {
  std::vector<std::string> lines;
  for (const RunDifference& d : found) {
    if (lines.size() == kMostLines) {
      lines.push_back(fmt::format("and {} more runs of inputs", found.size() - kMostLines));
      break;
    }
    lines.push_back(fmt::format("{}: {}, must be {}", inputs_text(*p.from, d.first, d.last), cast_code_text(*p.format, d.b),
                                cast_code_text(*p.format, d.a)));
  }
  return lines;
}

std::vector<Cause> causes_of(const CastTruth& truth, const std::vector<CodeRun>& given) {
  const auto failing = int64_t(inputs_of(differences(truth.runs, given)));
  std::vector<Cause> causes;
  for (size_t i = 0; i < truth.neighbours.size(); ++i) {
    // inputs that the mutant does not explain, and correct ones that it contradicts
    int64_t left = 0, contradicted = 0;
    for (const RunDifference& d : differences(truth.neighbours[i].runs, given)) {
      int64_t wrong = 0;
      for (const CodeRun& right : truth.runs)
        if (right.first <= d.last && right.last >= d.first && right.code != d.b)
          wrong += int64_t(std::min(right.last, d.last) - std::max(right.first, d.first)) + 1;
      left += wrong;
      contradicted += int64_t(d.last - d.first) + 1 - wrong;
    }
    const int64_t explained = failing - left;
    const std::string& name = truth.neighbours[i].name;
    if (explained > contradicted && 2 * explained >= failing)
      causes.push_back({{{name, name, explained}}, failing, explained, contradicted});
  }
  std::stable_sort(causes.begin(), causes.end(), [](const Cause& a, const Cause& b) { return a.left() < b.left(); });
  return causes;
}

}  // namespace assay
