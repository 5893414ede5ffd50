// Compares the cases of a kernel in which nothing was written with its other cases: a launch that a size or type skips.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/report/causes.h"

namespace assay {
namespace {

/// Parameters of a case: its contract, formats and sizes.
std::set<std::string> parameters_of(const Verdict& verdict) {
  const std::vector<std::string> words = words_of_shape(verdict);
  std::set<std::string> all(words.begin(), words.end());
  if (!verdict.contract.empty()) all.insert("contract " + verdict.contract);
  return all;
}

}  // namespace

std::vector<std::string> words_of_shape(const Verdict& verdict) {
  std::string_view id = verdict.case_id;
  for (int i = 0; i < 2; ++i) id.remove_prefix(std::min(id.find('/'), id.size() - 1) + 1);
  id = id.substr(0, id.find('/'));
  std::vector<std::string> all;
  while (!id.empty()) {
    const std::string_view word = id.substr(0, id.find('.'));
    all.emplace_back(word);
    id.remove_prefix(std::min(word.size() + 1, id.size()));
  }
  return all;
}

void compare_unwritten_cases(RunResult& result) {
  constexpr size_t kFewestWritten = 2;
  struct Cases {
    std::vector<Verdict*> unwritten;
    std::vector<const Verdict*> written;
  };
  std::map<std::pair<std::string, std::string>, Cases> kernels;
  for (Verdict& verdict : result.verdicts) {
    Cases& cases = kernels[{verdict.kernel, verdict.op}];
    const bool unwritten =
        !verdict.causes.empty() && (verdict.causes.front().starts_with("never written: no element of any output: ") ||
                                    verdict.causes.front().starts_with("never written: every output is as it was before the call: "));
    if (unwritten)
      cases.unwritten.push_back(&verdict);
    else if (verdict.outcome == Outcome::kPass || verdict.outcome == Outcome::kFail)
      cases.written.push_back(&verdict);
  }
  for (auto& [kernel, cases] : kernels) {
    if (cases.unwritten.empty() || cases.written.size() < kFewestWritten) continue;
    std::set<std::string> shared = parameters_of(*cases.unwritten.front());
    for (const Verdict* one : cases.unwritten) {
      const std::set<std::string> of_case = parameters_of(*one);
      std::erase_if(shared, [&](const std::string& word) { return !of_case.contains(word); });
    }
    for (const Verdict* one : cases.written) {
      const std::set<std::string> of_case = parameters_of(*one);
      std::erase_if(shared, [&](const std::string& word) { return of_case.contains(word); });
    }
    if (shared.empty()) continue;
    std::string words;
    for (const std::string& word : shared) words += (words.empty() ? "" : ", ") + word;
    const size_t count = cases.unwritten.size();
    const std::string line = fmt::format("only {} with {} write{} nothing; the kernel's {} other cases write their outputs",
                                         count == 1 ? "the case" : fmt::format("the {} cases", count), words,
                                         count == 1 ? "s" : "", cases.written.size());
    for (Verdict* one : cases.unwritten) one->causes.insert(one->causes.begin() + 1, line);
  }
}

}  // namespace assay
