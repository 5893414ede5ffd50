// Reads the cells `since` and `until` of a contract row, and compares releases.
#include "reference/contracts/releases.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

namespace assay {

std::vector<Period> periods_of(const ContractRow& row) {
  const auto words_of = [&](const char* column) {
    std::vector<std::string> words(1);
    const auto cell = row.cells.find(column);
    for (const char c : cell == row.cells.end() ? "" : cell->second.text)
      if (c == ';')
        words.emplace_back();
      else if (c != ' ')
        words.back() += c;
    return words;
  };
  const std::vector<std::string> since = words_of("since"), until = words_of("until");
  std::vector<Period> periods;
  for (size_t i = 0; i < std::max(since.size(), until.size()); ++i)
    periods.push_back({i < since.size() ? since[i] : "", i < until.size() ? until[i] : ""});
  return periods;
}

std::string releases_of(const ContractRow& row) {
  std::string text;
  for (const auto& [from, to] : periods_of(row)) {
    if (from.empty() && to.empty()) continue;
    if (from == "unmerged") {
      text += (text.empty() ? "" : ", ") + from;
      continue;
    }
    text += (text.empty() ? "" : ", ") + (from.empty() ? "" : "from " + from) + (from.empty() || to.empty() ? "" : " ") +
            (to.empty() ? "" : "before " + to);
  }
  return text;
}

namespace {

/// The numbers of "v0.5.10.post1" (0, 5, 10, 1) or of "2026-06-18"; empty for other words, such as "sm_89" and "unmerged".
std::vector<int64_t> numbers_of(std::string_view words) {
  if (words.starts_with("v")) words.remove_prefix(1);
  std::vector<int64_t> numbers;
  while (!words.empty()) {
    if (!numbers.empty()) words.remove_prefix(1);
    if (!numbers.empty() && words.starts_with("post")) words.remove_prefix(4);
    int64_t number = 0;
    const auto [end, error] = std::from_chars(words.data(), words.data() + words.size(), number);
    const auto length = size_t(end - words.data());
    if (error != std::errc() || (length < words.size() && words[length] != '.' && words[length] != '-')) return {};
    numbers.push_back(number);
    words.remove_prefix(length);
  }
  return numbers;
}

bool is_date(const std::vector<int64_t>& numbers) { return numbers.front() >= 1900; }

enum class Order { kBefore, kNotBefore, kUnknown };

/// Whether `a` is before `b`; unknown if only one of them is a date, or one is neither date nor release.
Order order_of(const std::string& a, const std::string& b) {
  std::vector<int64_t> x = numbers_of(a), y = numbers_of(b);
  if (x.empty() || y.empty() || is_date(x) != is_date(y)) return Order::kUnknown;
  x.resize(std::max(x.size(), y.size())), y.resize(x.size());
  return x < y ? Order::kBefore : Order::kNotBefore;
}

}  // namespace

bool is_current(const ContractRow& row) {
  const Period last = periods_of(row).back();
  return last.to.empty() && last.from != "unmerged";
}

bool is_release(const std::string& words) { return !numbers_of(words).empty(); }

std::optional<bool> in_release(const ContractRow& row, const std::string& release) {
  bool is_unknown = false;
  for (const auto& [from, to] : periods_of(row)) {
    if (from == "unmerged") continue;
    const Order begin = from.empty() ? Order::kUnknown : order_of(release, from),
                end = to.empty() ? Order::kBefore : order_of(release, to);
    if (begin == Order::kBefore || end == Order::kNotBefore) continue;
    if (begin == Order::kNotBefore && end == Order::kBefore) return true;
    is_unknown = true;
  }
  if (is_unknown) return std::nullopt;
  return false;
}

}  // namespace assay
