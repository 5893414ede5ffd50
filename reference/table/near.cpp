// Similar names by edit distance, and text that is safe to print.
#include "reference/table/near.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>

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
  std::set<std::string_view> seen;
  if (word.size() > kMostQuoted) return {};  // a text this long is no misspelt name
  const int allowed = std::max(1, int(word.size()) / 3);
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kMostQuoted) continue;
    if (!seen.insert(candidate).second) continue;
    const int apart = int(std::max(word.size(), candidate.size()) - std::min(word.size(), candidate.size()));
    const int distance = apart > allowed ? apart : edit_distance(word, candidate);  // the edit distance is never less
                                                                                    // than the difference of lengths
    const bool contains = word.size() >= 3 && (candidate.find(word) != candidate.npos || word.find(candidate) != word.npos);
    const bool is_release = candidate.starts_with(word) && candidate.substr(word.size()).starts_with('@');
    if (distance <= allowed || contains) near.push_back({is_release ? 0 : distance, candidate});
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
  std::set<std::string> listed;  // a name may occur several times: some kernels share a name
  for (const std::string& candidate : candidates) {
    if (listed.contains(candidate)) continue;
    if (listed.size() == kMostListed) return text + ", ...";
    text += (listed.empty() ? "; there are: " : ", ") + candidate;
    listed.insert(candidate);
  }
  return text;
}

namespace {

std::string escaped(std::string_view text, std::string_view kept) {
  std::string out;
  while (!text.empty()) {
    const size_t length = printable_length(text);
    if (length > 0) {
      out += text.substr(0, length);
    } else {
      out += kept.find(text.front()) != kept.npos ? std::string(1, text.front()) : byte_in_words(text.front());
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return out;
}

/// Start of the next quotation: a ' at the beginning of a word.
size_t quote_after(std::string_view text, size_t at) {
  constexpr std::string_view kBefore = " ([=,;:";
  for (; at < text.size(); ++at)
    if (text[at] == '\'' && (at == 0 || kBefore.find(text[at - 1]) != kBefore.npos)) return at;
  return text.npos;
}

/// End of a quotation: a ' at the end of a word; otherwise the end of the text.
size_t end_of_quote(std::string_view text, size_t at) {
  constexpr std::string_view kBehind = " )],;:.?!";
  for (; at < text.size(); ++at)
    if (text[at] == '\'' && (at + 1 == text.size() || kBehind.find(text[at + 1]) != kBehind.npos)) return at;
  return text.size();
}

/// At most `most` bytes from the start of the text, without cutting a character in two.
std::string_view front_of(std::string_view text, size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  return text.substr(0, most);
}

}  // namespace

size_t printable_length(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto continues = [&](size_t n) {
    for (size_t i = 1; i <= n; ++i) {
      if ((byte(i) & 0xc0) != 0x80) return false;
    }
    return true;
  };
  const unsigned first = byte(0), second = byte(1), third = byte(2);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  if (first >= 0xc2 && first <= 0xdf) {
    const bool control = first == 0xc2 && second < 0xa0;
    return continues(1) && !control ? 2 : 0;
  }
  if (first >= 0xe0 && first <= 0xef) {
    const bool overlong = first == 0xe0 && second < 0xa0;
    const bool surrogate = first == 0xed && second > 0x9f;
    const bool noncharacter = first == 0xef && second == 0xbf && third > 0xbd;
    const bool line_end = first == 0xe2 && second == 0x80 && (third == 0xa8 || third == 0xa9);
    const bool turns = first == 0xe2 &&
                       ((second == 0x80 && third >= 0xaa && third <= 0xae) || (second == 0x81 && third >= 0xa6 && third <= 0xa9));
    return continues(2) && !overlong && !surrogate && !noncharacter && !line_end && !turns ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool out_of_range = (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
    return continues(3) && !out_of_range ? 4 : 0;
  }
  return 0;
}

std::string byte_in_words(char c) {
  switch (c) {
    case '\n':
      return "\\n";
    case '\t':
      return "\\t";
    case '\r':
      return "\\r";
    default:
      char hex[5];
      std::snprintf(hex, sizeof hex, "\\x%02x", unsigned(static_cast<unsigned char>(c)));
      return hex;
  }
}

std::string printable(std::string_view text) { return escaped(text, ""); }

std::string printable_lines(std::string_view text) { return escaped(text, "\n"); }

std::string shortened(std::string_view text) {
  if (text.size() <= kMostQuoted) return std::string(text);
  return std::string(front_of(text, kMostQuoted)) + "...";
}

std::string message_text(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size() && out.size() <= kMostMessage;) {
    const size_t open = std::min(quote_after(text, at), text.size());
    out += text.substr(at, open - at);
    if (open == text.size()) break;
    const size_t close = end_of_quote(text, open + 1);
    out.append("'").append(shortened(text.substr(open + 1, close - open - 1)));
    if (close < text.size()) out += '\'';
    at = close + 1;
  }
  out = printable(out);
  return out.size() <= kMostMessage ? out : std::string(front_of(out, kMostMessage)) + "...";
}

}  // namespace assay
