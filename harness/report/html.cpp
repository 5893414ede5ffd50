#include "harness/report/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/report/counts.h"
#include "harness/report/escape.h"
#include "harness/report/failure_groups.h"
#include "harness/report/html_failures.h"
#include "harness/report/html_matrix.h"
#include "harness/report/html_parts.h"
#include "harness/report/html_power.h"
#include "harness/report/html_style.h"
#include "harness/report/html_trend.h"

namespace assay {
namespace {

using namespace html;

/// How it ended, and the counts that a reader asks for first.
std::string head(const RunResult& result, const Provenance& provenance) {
  const std::string ending = ending_text(result);
  const bool good = ending == "ALL AS EXPECTED" && provenance.ended_early.empty();
  const std::string backend = result.verdicts.empty() ? "" : result.verdicts.front().backend;
  std::string text = fmt::format("<h1>Assay: verdicts on back end {}</h1>\n<p class=\"ending{}\">{}</p>\n", code(backend),
                                 good ? "" : " bad", ending);
  if (!provenance.ended_early.empty())
    text += fmt::format("<p class=\"early\">Ended early by {}: the verdicts are those that were there.</p>\n",
                        xml_escaped(provenance.ended_early));
  if (!result.harness_error.empty())
    text += "<p class=\"early\">Ended early by a failure of the harness: " + xml_escaped(result.harness_error) + "</p>\n";
  std::map<Standing, int64_t> counts;
  for (const Verdict& v : result.verdicts) ++counts[standing_of(v)];
  text += "<div class=\"tally\">\n";
  for (const Standing s : kStandings) {
    if (s == Standing::kNotJudged && counts[s] == 0) continue;
    text += fmt::format("<div{}><b>{}</b>{} {}</div>\n", counts[s] > 0 && is_bad(outcome_of(s)) ? " class=\"alarm\"" : "",
                        counts[s], mark(outcome_of(s)), name(s));
  }
  text += "</div>\n<dl>\n";
  double seconds = 0;
  std::set<std::string> cases, kernels;
  for (const Verdict& v : result.verdicts) {
    seconds += v.seconds;
    cases.insert(v.case_id);
    if (!v.kernel.empty()) kernels.insert(v.kernel);
  }
  text += fmt::format("<dt>cases</dt><dd>{}</dd>\n<dt>kernels</dt><dd>{}, {:.3g} s in their calls</dd>\n", cases.size(),
                      kernels.size(), seconds);
  text += fmt::format("<dt>verdicts</dt><dd>{}, {} not as expected</dd>\n", result.verdicts.size(), result.unexpected());
  for (const auto& [words, count] : counts_by_rung(result))
    text += fmt::format("<dt>determinism</dt><dd>{} {}</dd>\n", count, xml_escaped(words));
  return text + "</dl>\n";
}

std::string facts(const Provenance& provenance, const LibraryInfo& library) {
  std::string text;
  for (const Fact& fact : facts_of(provenance, library)) {
    std::string title = fact.name;
    std::replace(title.begin(), title.end(), '_', ' ');
    if (!fact.value.empty()) text += fmt::format("<dt>{}</dt><dd>{}</dd>\n", title, xml_escaped(fact.value));
  }
  return text.empty() ? "" : "<dl>\n" + text + "</dl>\n";
}

/// Reasons of the verdicts of one standing, each with its number.
std::string reasons(const RunResult& result, Standing standing) {
  std::map<std::string, int64_t> counts;
  for (const Verdict& v : result.verdicts)
    if (standing_of(v) == standing) ++counts[v.message];
  std::vector<std::vector<std::string>> rows = {{"cases", "because"}};
  for (const auto& [message, count] : counts) rows.push_back({std::to_string(count), xml_escaped(message)});
  return table("skips", rows);
}

std::vector<std::string> pass_row(const Verdict& v) {
  int64_t elements = 0;
  double budget_use = 0;
  for (const TensorFinding& f : v.tensors) elements += f.elements, budget_use = std::max(budget_use, f.budget_use);
  return {code(v.case_id), fmt::format("{:.2f}", v.seconds * 1000), std::to_string(elements),
          budget_use > 0 ? fmt::format("{:.2f}", budget_use) : "pinned",
          v.power.faults > 0 ? fmt::format("{} of {}", v.power.seen(), v.power.faults) : ""};
}

/// Folded away, kernel by kernel.
std::string passes(const RunResult& result) {
  std::map<std::string, std::vector<std::vector<std::string>>> by_kernel;
  for (const Verdict& v : result.verdicts) {
    if (v.outcome != Outcome::kPass) continue;
    auto& rows = by_kernel[v.kernel];
    if (rows.empty()) rows.push_back({"case", "ms", "elements", "budget use", "faults seen"});
    rows.push_back(pass_row(v));
  }
  std::string text;
  for (const auto& [kernel, rows] : by_kernel)
    text += fmt::format("<details><summary>{}: {} verdict{}</summary>\n{}</details>\n", code(kernel), rows.size() - 1,
                        rows.size() == 2 ? "" : "s", wide(table("passes", rows)));
  return text;
}

/// The sections of a page, and links to them that stay in sight.
class Page {
 public:
  void add(const char* id, const char* title, const std::string& content) {
    if (content.empty()) return;
    contents_ += fmt::format("<a href=\"#{}\">{}</a>\n", id, title);
    sections_ += fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n{}</section>\n", id, title, content);
  }
  std::string text(const std::string& head) const {
    return "<nav class=\"contents\">\n<a href=\"#top\">Top</a>\n" + contents_ + "</nav>\n<main id=\"top\">\n" + head + sections_ +
           "</main>\n";
  }

 private:
  std::string contents_, sections_;
};

}  // namespace

std::string html_text(const RunResult& result, const LibraryInfo& library, const Provenance& provenance,
                      const EarlierRun* earlier) {
  const std::vector<FailureGroup> groups = failures_by_cause(result);
  Page page;
  page.add("causes", "What failed, by cause", cause_table(result, groups));
  if (earlier != nullptr) page.add("trend", "Since the earlier run", trend_text(result, *earlier));
  page.add("contracts", "Verdicts by contract", result.verdicts.empty() ? "" : matrix(result, groups));
  page.add("failures", "Failures, a card a cause", cause_cards(result, groups));
  page.add("not-run", "Not run", reasons(result, Standing::kNotRun));
  page.add("not-offered", "Not offered", reasons(result, Standing::kNotOffered));
  if (const std::string power = power_table(result); !power.empty()) {
    page.add(
        "power", "What the data can show",
        "<p class=\"soft\">A data set sees a single-step fault of its contract if no right kernel could return what the faulty "
        "one must. Codes, subnormal, saturated and NaN outputs are those that the contract demands.</p>\n" +
            wide(power));
  }
  page.add("passed", "Passed", passes(result));
  page.add("provenance", "Provenance", facts(provenance, library));
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" "
         "content=\"width=device-width\"/>\n<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>Assay: " +
         ending_text(result) + "</title>\n<style>" + kStyle + "</style>\n</head>\n<body>\n" + mark_definitions() +
         page.text(head(result, provenance)) + "</body>\n</html>\n";
}

}  // namespace assay
