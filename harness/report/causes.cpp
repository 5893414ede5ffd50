#include "harness/report/causes.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string_view>

namespace assay {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// Removes `prefix` from the front of `text`, if it is there.
bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool take_number(std::string_view& text, int64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return false;
  text.remove_prefix(size_t(end - text.data()));
  return true;
}

/// Length of the number at `at`, including sign, fraction and exponent; 0 if there is none or if it is part of a word.
size_t number_length(std::string_view text, size_t at) {
  if (at > 0 && (is_word(text[at - 1]) || text[at - 1] == '.')) return 0;
  size_t end = at;
  if (end < text.size() && (text[end] == '-' || text[end] == '+')) ++end;
  if (end >= text.size() || !is_digit(text[end])) return 0;
  if (text.substr(end).starts_with("0x")) {
    end += 2;
    while (end < text.size() && std::isxdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
  } else {
    while (end < text.size() && (is_digit(text[end]) || (text[end] == '.' && end + 1 < text.size() && is_digit(text[end + 1]))))
      ++end;
    if (end < text.size() && text[end] == 'e') {
      size_t exponent = end + 1;
      if (exponent < text.size() && (text[exponent] == '-' || text[exponent] == '+')) ++exponent;
      if (exponent < text.size() && is_digit(text[exponent])) {
        while (exponent < text.size() && is_digit(text[exponent])) ++exponent;
        end = exponent;
      }
    }
  }
  return end < text.size() && is_word(text[end]) ? 0 : end - at;
}

/// Removes adjacent duplicates from a comma-separated list.
std::string without_repetition(const std::string& list) {
  std::string text, last;
  for (size_t begin = 0; begin <= list.size();) {
    const size_t end = std::min(list.find(", ", begin), list.size());
    const std::string part = list.substr(begin, end - begin);
    if (begin == 0 || part != last) text.append(begin == 0 ? "" : ", ").append(part);
    last = part;
    begin = end + 2;
  }
  return text;
}

/// Cuts the text where only data follow.
std::string without_details(std::string text) {
  if (text.starts_with("race: ") || text.starts_with("unsteady: "))
    text = text.substr(0, text.find(" ("));  // drops the first element that changed
  const std::string needed = " (needed for ";
  for (size_t at = text.find(needed); at != std::string::npos; at = text.find(needed))
    text.erase(at, text.find(')', at) + 1 - at);
  return text;
}

}  // namespace

std::optional<ToldCause> parse_cause(const std::string& words) {
  std::string_view rest = words;
  ToldCause cause;
  if (!take(rest, "explains ") || !take_number(rest, cause.explained) || !take(rest, " of ") || !take_number(rest, cause.failing))
    return std::nullopt;
  const size_t colon = rest.find(": ");
  if (colon == rest.npos) return std::nullopt;
  std::string_view counted = rest.substr(0, colon);
  if (const size_t good = counted.find("contradicts "); good != counted.npos) {
    counted.remove_prefix(good + std::string_view("contradicts ").size());
    if (!take_number(counted, cause.contradicted)) return std::nullopt;
  }
  cause.mistake = without_details(std::string(rest.substr(colon + 2)));
  return cause;
}

std::string with_numbers_masked(const std::string& text) {
  std::string masked;
  for (size_t at = 0; at < text.size();) {
    const size_t length = number_length(text, at);
    if (length == 0) {
      masked += text[at++];
    } else {
      masked += '#';
      at += length;
    }
  }
  return without_repetition(masked);
}

std::string first_mistake(const Verdict& verdict) {
  if (verdict.causes.empty()) return verdict.message;
  const std::string& words = verdict.causes.front();
  const std::optional<ToldCause> cause = parse_cause(words);
  return cause ? cause->mistake : without_details(words);
}

std::string data_of(const Verdict& verdict) {
  const std::string suffix = "/w" + verdict.warp, &id = verdict.case_id;
  return !verdict.warp.empty() && id.ends_with(suffix) ? id.substr(0, id.size() - suffix.size()) : id;
}

bool is_unknown(const std::string& mistake) { return mistake.empty() || mistake.starts_with("no known cause"); }

}  // namespace assay
