#include "harness/text/printable.h"

#include <algorithm>
#include <cstdio>

namespace assay {
namespace {

/// Length of the UTF-8 character at the front that a terminal shows and XML 1.0 allows, or 0. Control characters are none of
/// them, neither those below 0x20 nor U+0080 to U+009F, nor the marks that turn the direction of what follows.
size_t character_length(std::string_view text) {
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

std::string escaped(std::string_view text, std::string_view kept) {
  std::string out;
  while (!text.empty()) {
    const size_t length = character_length(text);
    if (length > 0) {
      out += text.substr(0, length);
    } else {
      out += kept.find(text.front()) != kept.npos ? std::string(1, text.front()) : byte_in_words(text.front());
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return out;
}

}  // namespace

std::string printable(std::string_view text) { return escaped(text, ""); }

std::string printable_lines(std::string_view text) { return escaped(text, "\n"); }

std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
  if (!text.empty() && text.find_first_not_of(kPlain) == text.npos) return std::string(text);
  const bool has_bytes = printable(text) != text;
  std::string word;
  while (!text.empty()) {
    const size_t length = character_length(text);
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
