#include "harness/text/messages.h"

#include <algorithm>
#include <cstddef>

namespace assay {

// Text from untrusted sources (libraries, dumps, recordings, file names), made safe for a terminal, a table and a shell.

std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
  if (!text.empty() && text.find_first_not_of(kPlain) == text.npos) return std::string(text);
  const bool has_bytes = printable(text) != text;
  std::string word;
  while (!text.empty()) {
    const size_t length = printable_length(text);
    if (length == 0) {
      word += byte_in_words(text.front());
    } else if (has_bytes && (text.front() == '\'' || text.front() == '\\')) {
      word += {'\\', text.front()};
    } else {
      word += text.front() == '\'' ? "'\\''" : text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return (has_bytes ? "$'" : "'") + word + "'";
}

std::string csv_cell(const std::string& text) {
  const bool blank_edge = !text.empty() && (text.front() == ' ' || text.back() == ' ');
  if (text.find_first_of(",\"\r\n") == std::string::npos && !blank_edge) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

// Glob patterns for case ids, kernel names and mutant names.

bool glob_match(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0;
  size_t star = std::string_view::npos, resume = 0;  // the last '*' in the pattern so far, and the text position to go back to
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool any_glob_matches(std::string_view patterns, std::string_view text) {
  for (size_t at = 0; at <= patterns.size();) {
    const size_t end = std::min(patterns.find('|', at), patterns.size());
    if (glob_match(patterns.substr(at, end - at), text)) return true;
    at = end + 1;
  }
  return false;
}

}  // namespace assay
