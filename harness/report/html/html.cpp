#include "harness/report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/report/failure_groups.h"
#include "harness/report/html/parts.h"
#include "harness/report/html/sections.h"

namespace assay::html {
namespace {

/// Appends an entry to a definition list.
void entry(Node list, const std::string& name, const std::string& text) {
  write(child(list, "dt"), name);
  write(line(list, "dd"), text);
}

/// Counts by standing, most relevant first.
void tally(Node main, const RunResult& result) {
  std::map<Standing, int64_t> counts;
  for (const Verdict& v : result.verdicts) ++counts[standing_of(v)];
  const Node tally = line(main, "div", "tally");
  for (const Standing s : kStandings) {
    if (s == Standing::kNotJudged && counts[s] == 0) continue;
    const Node box = line(tally, "div", counts[s] > 0 && is_bad(outcome_of(s)) ? "alarm" : "");
    write(child(box, "b"), std::to_string(counts[s]));
    mark(box, outcome_of(s));
    write(box, fmt::format(" {}", name(s)));
  }
}

/// How the run ended, and what was run.
void head(Node main, const RunResult& result, const Provenance& provenance) {
  const std::string ending = ending_text(result);
  const bool good = ending == "ALL AS EXPECTED" && provenance.ended_early.empty();
  code(write(line(main, "h1"), "Assay: verdicts on back end "), result.verdicts.empty() ? "" : result.verdicts.front().backend);
  write(line(main, "p", good ? "ending" : "ending bad"), ending);
  if (!provenance.ended_early.empty())
    write(line(main, "p", "early"), "Ended early by " + provenance.ended_early + ": these are the verdicts until then.");
  if (!result.harness_error.empty())
    write(line(main, "p", "early"), "Ended early by a failure of the harness: " + result.harness_error);
  tally(main, result);
  double seconds = 0;
  std::set<std::string> cases, kernels;
  for (const Verdict& v : result.verdicts) {
    seconds += v.seconds;
    cases.insert(v.case_id);
    if (!v.kernel.empty()) kernels.insert(v.kernel);
  }
  const Node facts = line(main, "dl");
  entry(facts, "cases", std::to_string(cases.size()));
  entry(facts, "kernels", fmt::format("{}, {:.3g} s in their calls", kernels.size(), seconds));
  entry(facts, "verdicts", fmt::format("{}, {} not as expected", result.verdicts.size(), result.unexpected()));
  for (const auto& [words, count] : counts_by_rung(result)) entry(facts, "determinism", fmt::format("{} {}", count, words));
}

void provenance_facts(Node section, const Provenance& provenance, const LibraryInfo& library) {
  std::vector<Fact> known = facts_of(provenance, library);
  std::erase_if(known, [](const Fact& fact) { return fact.value.empty(); });
  if (known.empty()) return;
  const Node list = line(section, "dl");
  for (const Fact& one : known) {
    std::string title = one.name;
    std::replace(title.begin(), title.end(), '_', ' ');
    entry(list, title, one.value);
  }
}

/// Messages of the verdicts with one standing, with counts.
void reasons(Node section, const RunResult& result, Standing standing) {
  std::map<std::string, int64_t> counts;
  for (const Verdict& v : result.verdicts)
    if (standing_of(v) == standing) ++counts[v.message];
  if (counts.empty()) return;
  const Node body = table(section, "skips", {"cases", "because"});
  for (const auto& [message, count] : counts) {
    const Node row = line(body, "tr");
    write(cell(row), std::to_string(count));
    write(cell(row), message);
  }
}

void pass_row(Node body, const Verdict& v) {
  int64_t elements = 0;
  double budget_use = 0;
  for (const TensorFinding& f : v.tensors) elements += f.elements, budget_use = std::max(budget_use, f.budget_use);
  const Node row = line(body, "tr");
  code(cell(row), v.case_id);
  for (const std::string& text : {fmt::format("{:.2f}", v.seconds * 1000), std::to_string(elements),
                                  budget_use > 0 ? fmt::format("{:.2f}", budget_use) : "pinned",
                                  v.power.faults > 0 ? fmt::format("{} of {}", v.power.seen(), v.power.faults) : ""})
    write(cell(row), text);
}

/// Collapsed, one list per kernel.
void passes(Node section, const RunResult& result) {
  std::map<std::string, std::vector<const Verdict*>> by_kernel;
  for (const Verdict& v : result.verdicts)
    if (v.outcome == Outcome::kPass) by_kernel[v.kernel].push_back(&v);
  for (const auto& [kernel, verdicts] : by_kernel) {
    const Folded list = folded(section);
    code(list.summary, kernel);
    write(list.summary, fmt::format(": {} verdict{}", verdicts.size(), verdicts.size() == 1 ? "" : "s"));
    const Node body = table(wide(list.content), "passes", {"case", "ms", "elements", "budget use", "faults seen"});
    for (const Verdict* v : verdicts) pass_row(body, *v);
  }
}

/// The page with its sections and a navigation bar that stays visible.
class Page {
 public:
  explicit Page(const std::string& ending) {
    document_.append_child(pugi::node_doctype).set_value("html");
    const Node html = set(document_.append_child("html"), "lang", "en"), head = child(html, "head");
    set(line(head, "meta"), "charset", "utf-8");
    meta(head, "viewport", "width=device-width");
    meta(head, "color-scheme", "light dark");
    write(line(head, "title"), "Assay: " + ending);
    write(line(head, "style"), kStyle);
    const Node body = line(html, "body");
    mark_definitions(body);
    contents_ = line(body, "nav", "contents");
    main_ = set(line(body, "main"), "id", "top");
    link("top", "Top");
  }

  Node main() const { return main_; }

  /// Adds a section unless `fill` produces nothing.
  template <class Fill>
  void add(const char* id, const char* title, Fill fill) {
    Node section = set(line(main_, "section"), "id", id);
    write(line(section, "h2"), title);
    const Node before = section.last_child();
    fill(section);
    if (section.last_child() == before)
      main_.remove_child(section);
    else
      link(id, title);
  }

  std::string source() { return source_of(document_); }

 private:
  static void meta(Node head, const char* name, const char* content) {
    set(set(line(head, "meta"), "name", name), "content", content);
  }
  void link(const std::string& id, const char* title) { write(set(line(contents_, "a"), "href", "#" + id), title); }

  pugi::xml_document document_;
  Node contents_, main_;
};

}  // namespace
}  // namespace assay::html

namespace assay {

std::string html_text(const RunResult& result, const LibraryInfo& library, const Provenance& provenance,
                      const EarlierRun* earlier) {
  using namespace html;
  const std::vector<FailureGroup> groups = failures_by_cause(result);
  Page page(ending_text(result));
  head(page.main(), result, provenance);
  page.add("causes", "What failed, by cause", [&](Node section) { cause_table(section, result, groups); });
  if (earlier != nullptr) page.add("trend", "Since the earlier run", [&](Node section) { trend(section, result, *earlier); });
  page.add("contracts", "Verdicts by contract", [&](Node section) { matrix(section, result, groups); });
  page.add("failures", "Failures, a card a cause", [&](Node section) { cause_cards(section, result, groups); });
  page.add("not-run", "Not run", [&](Node section) { reasons(section, result, Standing::kNotRun); });
  page.add("not-offered", "Not offered", [&](Node section) { reasons(section, result, Standing::kNotOffered); });
  page.add("power", "What the data can detect", [&](Node section) { power(section, result); });
  page.add("passed", "Passed", [&](Node section) { passes(section, result); });
  page.add("provenance", "Provenance", [&](Node section) { provenance_facts(section, provenance, library); });
  return page.source();
}

}  // namespace assay
