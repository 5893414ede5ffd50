// Joins causes that say the same of several ranks: all ranks run the same code, so a mistake shows on each of them.
#include <fmt/format.h>

#include <cctype>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/diagnosis/diagnose.h"

namespace assay {
namespace {

bool is_decimal(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

/// The label of a rank in a text: " of rank 3" or ".rank 3".
struct RankLabel {
  size_t begin = std::string::npos, end = 0;
  int64_t rank = 0;
};

RankLabel rank_label(const std::string& words) {
  RankLabel found;
  for (const char* const label : {".rank ", " of rank "}) {
    const size_t at = words.find(label);
    const size_t digits = at == std::string::npos ? at : at + std::string(label).size();
    if (at >= found.begin || digits >= words.size() || !is_decimal(words[digits])) continue;
    found = {at, digits, 0};
    while (found.end < words.size() && is_decimal(words[found.end])) found.rank = 10 * found.rank + (words[found.end++] - '0');
  }
  return found;
}

/// The text without its first rank. Counts such as "958 of 959" are left out, and the numbers in the parentheses that end a
/// pattern.
std::string text_of_any_rank(const std::string& words, const RankLabel& label) {
  const std::string rest = words.substr(0, label.begin) + "@" + words.substr(label.end), of = " of ";
  const size_t counts = rest.rfind(" (");
  std::string text;
  for (size_t at = 0; at < rest.size();) {
    size_t end = at;
    while (end < rest.size() && is_decimal(rest[end])) ++end;
    if (end == at) {
      text += rest[at++];
      continue;
    }
    const bool is_count = at > counts || rest.compare(end, of.size(), of) == 0 ||
                          (at >= of.size() && rest.compare(at - of.size(), of.size(), of) == 0);
    text += is_count ? "#" : rest.substr(at, end - at);
    at = end;
  }
  return text;
}

}  // namespace

void join_ranks(std::vector<std::string>& causes, int ranks) {
  if (ranks < 2) return;
  std::map<std::string, std::set<int64_t>> of_text;
  for (const std::string& words : causes)
    if (const RankLabel label = rank_label(words); label.begin != std::string::npos)
      of_text[text_of_any_rank(words, label)].insert(label.rank);
  std::set<std::string> told;
  std::vector<std::string> joined;
  for (const std::string& words : causes) {
    const RankLabel label = rank_label(words);
    const std::string key = label.begin == std::string::npos ? "" : text_of_any_rank(words, label);
    if (key.empty() || of_text[key].size() < 2) {
      joined.push_back(words);
      continue;
    }
    if (!told.insert(key).second) continue;
    const std::set<int64_t>& who = of_text[key];
    const std::string of = int64_t(who.size()) == ranks ? fmt::format(" of each of {} ranks", ranks)
                                                        : " of ranks " + numbers_text(who, std::numeric_limits<int64_t>::max());
    std::string text = words.substr(0, label.begin) + of + words.substr(label.end);
    const std::string counted = " wrong elements";
    if (const size_t at = text.rfind(counted); at != std::string::npos)
      text.insert(at + counted.size(), fmt::format(" of rank {}", label.rank));
    joined.push_back(std::move(text));
  }
  causes = std::move(joined);
}

}  // namespace assay
