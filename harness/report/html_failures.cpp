#include "harness/report/html_failures.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "harness/report/escape.h"
#include "harness/report/html.h"
#include "harness/report/html_failure.h"
#include "harness/report/html_parts.h"

namespace assay::html {
namespace {

/// Verdicts that get a section, those not expected first, by their places in the run.
std::vector<size_t> bad_verdicts(const RunResult& result) {
  std::vector<size_t> places;
  for (size_t i = 0; i < result.verdicts.size(); ++i) {
    if (is_bad(result.verdicts[i].outcome)) places.push_back(i);
  }
  std::stable_partition(places.begin(), places.end(), [&](size_t i) { return !as_expected(result.verdicts[i]); });
  return places;
}

/// What a cause says without the count of elements that it explains here, so that equal causes of several verdicts are one.
std::string cause_of(const Verdict& v) {
  if (v.causes.empty()) return v.message.empty() ? "no cause looked for" : v.message;
  const std::string& cause = v.causes.front();
  const size_t colon = cause.find(": ");
  if (cause.starts_with("explains ") && colon != std::string::npos) return cause.substr(colon + 2);
  return cause.starts_with("race: ") || cause.starts_with("unsteady: ") ? cause.substr(0, cause.find(" (")) : cause;  // without the first element that changed
}

/// The places that get a section: the first verdict of each cause, then the first ones of the run. Ascending.
std::set<size_t> shown_in_full(const RunResult& result, const std::vector<size_t>& bad) {
  std::set<std::string> causes;
  std::set<size_t> shown;
  for (const size_t place : bad) {
    if (shown.size() < kFullSections && causes.insert(cause_of(result.verdicts[place])).second) shown.insert(place);
  }
  for (const size_t place : bad) {
    if (shown.size() < kFullSections) shown.insert(place);
  }
  return shown;
}

std::string causes(const RunResult& result, const std::vector<size_t>& bad, const std::set<size_t>& shown) {
  struct Group {
    int64_t verdicts = 0;
    std::set<std::string> kernels;
    size_t first = 0;
  };
  std::map<std::string, Group> groups;
  for (const size_t place : bad) {
    Group& group = groups[cause_of(result.verdicts[place])];
    if (group.verdicts++ == 0) group.first = place;
    group.kernels.insert(result.verdicts[place].kernel);
  }
  std::vector<std::pair<std::string, Group>> sorted(groups.begin(), groups.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second.verdicts > b.second.verdicts; });
  std::vector<std::vector<std::string>> rows = {{"verdicts", "first cause", "kernels", "for example"}};
  for (const auto& [cause, group] : sorted) {
    std::string kernels;
    for (const std::string& kernel : group.kernels) kernels += (kernels.empty() ? "" : ", ") + code(kernel);
    const std::string& id = result.verdicts[group.first].case_id;
    rows.push_back({std::to_string(group.verdicts), xml_escaped(cause), kernels,
                    shown.contains(group.first) ? link(group.first, id) : code(id)});
  }
  return table("causes", rows);
}

}  // namespace

std::string failures(const RunResult& result) {
  const std::vector<size_t> bad = bad_verdicts(result);
  if (bad.empty()) return "";
  const std::set<size_t> shown = shown_in_full(result, bad);
  const size_t others = bad.size() - shown.size();
  std::string text = "<h2>What failed, by cause</h2>\n" + causes(result, bad, shown) + "<h2>Failures</h2>\n", lines;
  if (others > 0) {
    text += fmt::format(
        "<p>{} of {} in full: the first of each cause, then the first of the run. <a href=\"#others\">The other {}</a> have a "
        "line each.</p>\n",
        shown.size(), bad.size(), others);
  }
  for (const size_t place : bad) {
    if (shown.contains(place)) {
      text += failure_section(result.verdicts[place], place);
    } else {
      lines += failure_line(result.verdicts[place]);
    }
  }
  if (others == 0) return text;
  return text + fmt::format("<h2 id=\"others\">The other {} failures</h2>\n<ul class=\"others\">\n{}</ul>\n", others, lines);
}

}  // namespace assay::html
