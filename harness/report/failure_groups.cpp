#include "harness/report/failure_groups.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "harness/report/causes.h"

namespace assay {

std::vector<FailureGroup> failures_by_cause(const RunResult& result) {
  std::vector<FailureGroup> groups;
  std::map<std::tuple<std::string, std::string, Outcome>, size_t> group_of;
  std::map<std::tuple<size_t, std::string, std::string>, size_t> twins_of;
  for (size_t place = 0; place < result.verdicts.size(); ++place) {
    const Verdict& v = result.verdicts[place];
    if (!is_bad(v.outcome)) continue;
    const std::string mistake = first_mistake(v), kernel = is_unknown(mistake) ? v.kernel : "";
    const auto [known, is_new] = group_of.try_emplace({with_numbers_masked(mistake), kernel, v.outcome}, groups.size());
    if (is_new) groups.emplace_back().cause = mistake;
    FailureGroup& group = groups[known->second];
    group.expected &= as_expected(v);
    group.kernels.insert(v.kernel);
    ++group.verdicts;
    const auto [twins, is_first] = twins_of.try_emplace({known->second, v.kernel, data_of(v)}, group.failures.size());
    if (is_first) group.failures.emplace_back();
    group.failures[twins->second].places.push_back(place);
  }
  std::stable_sort(groups.begin(), groups.end(), [](const FailureGroup& a, const FailureGroup& b) {
    return std::pair(a.expected, -a.verdicts) < std::pair(b.expected, -b.verdicts);
  });
  return groups;
}

std::string twins_text(const RunResult& result, const Twins& twins) {
  std::string text = result.verdicts[twins.places.front()].case_id;
  for (const size_t place : twins.places)
    if (place != twins.places.front()) text += " and w" + result.verdicts[place].warp;
  return text;
}

}  // namespace assay
