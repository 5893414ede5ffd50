// Compares the sizes of a kernel's failing cases with those of its passed cases: a mistake that only short rows or incomplete
// tiles reach shows itself in the sizes, even if the outputs of no single case tell it.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/report/causes.h"

namespace assay {
namespace {

/// m, n and k of a case, as its id names them: "m5", "n1024".
std::map<char, int64_t> sizes_of(const Verdict& verdict) {
  std::map<char, int64_t> sizes;
  for (const std::string& word : words_of_shape(verdict)) {
    if (word.size() < 2 || std::string_view("mnk").find(word[0]) == std::string_view::npos) continue;
    int64_t size = 0;
    const auto [end, error] = std::from_chars(word.data() + 1, word.data() + word.size(), size);
    if (error == std::errc() && end == word.data() + word.size()) sizes.emplace(word[0], size);
  }
  return sizes;
}

/// "k is at most 1 (the others have at least 17)": a condition that all failing sizes meet, and no passed one. Empty if there is
/// none.
std::string condition_of(char name, const std::set<int64_t>& failing, const std::set<int64_t>& passed) {
  for (int64_t unit = 8; unit <= 256; unit *= 2) {
    const auto is_whole = [unit](int64_t size) { return size % unit == 0; };
    if (std::all_of(passed.begin(), passed.end(), is_whole) && std::none_of(failing.begin(), failing.end(), is_whole))
      return fmt::format("{} is no multiple of {}", name, unit);
  }
  if (*failing.rbegin() < *passed.begin())
    return fmt::format("{} is at most {} (the others have at least {})", name, *failing.rbegin(), *passed.begin());
  if (*failing.begin() > *passed.rbegin())
    return fmt::format("{} is at least {} (the others have at most {})", name, *failing.begin(), *passed.rbegin());
  return "";
}

}  // namespace

void compare_failing_cases(RunResult& result) {
  constexpr size_t kFewestCases = 3, kMostConditions = 2;  // fewer cases differ from the others by chance
  struct Cases {
    std::vector<Verdict*> failing;
    std::set<std::string> failing_data, passed_data;
    std::map<char, std::set<int64_t>> failing_sizes, passed_sizes;
  };
  std::map<std::pair<std::string, std::string>, Cases> kernels;
  for (Verdict& verdict : result.verdicts) {
    Cases& cases = kernels[{verdict.kernel, verdict.contract}];
    if (verdict.outcome == Outcome::kFail) cases.failing.push_back(&verdict), cases.failing_data.insert(data_of(verdict));
    if (verdict.outcome == Outcome::kPass) cases.passed_data.insert(data_of(verdict));
    if (verdict.outcome != Outcome::kFail && verdict.outcome != Outcome::kPass) continue;
    for (const auto& [name, size] : sizes_of(verdict))
      (verdict.outcome == Outcome::kFail ? cases.failing_sizes : cases.passed_sizes)[name].insert(size);
  }
  for (auto& [kernel, cases] : kernels) {
    if (cases.failing_data.size() < kFewestCases || cases.passed_data.size() < kFewestCases) continue;
    std::vector<std::string> conditions;
    for (const auto& [name, failing] : cases.failing_sizes)
      if (const auto passed = cases.passed_sizes.find(name); passed != cases.passed_sizes.end())
        if (const std::string words = condition_of(name, failing, passed->second); !words.empty()) conditions.push_back(words);
    if (conditions.empty() || conditions.size() > kMostConditions) continue;
    std::string words;
    for (const std::string& one : conditions) words += (words.empty() ? "" : ", and where ") + one;
    for (Verdict* const one : cases.failing)
      if (!one->causes.empty() && (is_unknown(one->causes.front()) || is_pattern(one->causes.front())))
        one->causes.push_back(
            fmt::format("fails only where {}; {} data sets with other sizes pass", words, cases.passed_data.size()));
  }
}

}  // namespace assay
