#include "suites/cast/found.h"

#include <fmt/format.h>

#include <algorithm>

#include "suites/cast/words.h"

namespace assay {
namespace {

constexpr size_t kWorthNaming = 3, kMostLines = 12;

struct Explanation {
  const CastNeighbour* neighbour;
  double explained, contradicted;
};

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

std::vector<std::string> causes_of(const CastTruth& truth, const std::vector<CodeRun>& given) {
  const double failing = inputs_of(differences(truth.runs, given));
  std::vector<Explanation> all;
  for (size_t i = 0; i < truth.neighbours.size(); ++i) {
    const std::vector<CodeRun>& edited = truth.neighbour_runs[i];
    // Inputs that still differ from the edit: those it leaves, and those that were right.
    double left = 0, contradicted = 0;
    for (const RunDifference& d : differences(edited, given)) {
      const double all_of_it = double(d.last - d.first) + 1;
      double wrong = 0;
      for (const CodeRun& right : truth.runs)
        if (right.first <= d.last && right.last >= d.first && right.code != d.b)
          wrong += double(std::min(right.last, d.last) - std::max(right.first, d.first)) + 1;
      left += wrong;
      contradicted += all_of_it - wrong;
    }
    const double explained = failing - left;
    if (explained > contradicted && 2 * explained >= failing) all.push_back({&truth.neighbours[i], explained, contradicted});
  }
  std::stable_sort(all.begin(), all.end(), [](const Explanation& a, const Explanation& b) {
    return a.explained - a.contradicted > b.explained - b.contradicted;
  });
  if (all.empty()) return {"no known cause"};
  std::vector<std::string> words;
  const bool complete = all.front().explained == failing && all.front().contradicted == 0;
  for (const Explanation& e : all) {
    if (words.size() == kWorthNaming || (complete && !words.empty())) break;
    std::string line = fmt::format("explains {:.0f} of {:.0f} failing elements", e.explained, failing);
    if (e.contradicted > 0) line += fmt::format(" and contradicts {:.0f} good ones", e.contradicted);
    words.push_back(line + ": " + e.neighbour->name);
  }
  return words;
}

}  // namespace assay
