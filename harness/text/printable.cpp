#include "harness/text/printable.h"

#include <algorithm>

namespace assay {

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

}  // namespace assay
