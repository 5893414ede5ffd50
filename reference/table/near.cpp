#include "reference/table/near.h"

#include <algorithm>
#include <cstdlib>

#include "reference/table/message.h"

namespace assay {

int edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<int>> d(a.size() + 1, std::vector<int>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = int(i + j);
        continue;
      }
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

std::vector<std::string> near_matches(std::string_view word, std::span<const std::string> candidates) {
  struct Near {
    int distance;
    std::string name;
  };
  std::vector<Near> near;
  if (word.size() > kMostQuoted) return {};  // such a long text is not a typo
  const int allowed = std::max(1, int(word.size()) / 3);
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kMostQuoted) continue;
    const int apart = int(std::max(word.size(), candidate.size()) - std::min(word.size(), candidate.size()));
    const int distance = apart > allowed ? apart : edit_distance(word, candidate);  // the edit distance is at least the
                                                                                    // difference of lengths
    const bool contains = word.size() >= 3 && (candidate.find(word) != candidate.npos || word.find(candidate) != word.npos);
    if (distance <= allowed || contains) near.push_back({distance, candidate});
  }
  std::stable_sort(near.begin(), near.end(), [](const Near& a, const Near& b) { return a.distance < b.distance; });
  if (near.size() > 3) near.resize(3);
  std::vector<std::string> names;
  for (Near& n : near) names.push_back(std::move(n.name));
  return names;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  if (candidates.empty()) return "";
  std::string text;
  const std::vector<std::string> near = near_matches(word, candidates);
  if (!near.empty()) {
    for (const std::string& name : near) text += (text.empty() ? "; did you mean '" : " or '") + name + "'";
    return text + "?";
  }
  constexpr size_t kMostListed = 20;
  for (size_t i = 0; i < std::min(candidates.size(), kMostListed); ++i) text += (i == 0 ? "; there are: " : ", ") + candidates[i];
  if (candidates.size() > kMostListed) text += ", ...";
  return text;
}

}  // namespace assay
