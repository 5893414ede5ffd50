#include "harness/report/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/report/failure_groups.h"
#include "harness/report/html/parts.h"

namespace assay::html {
namespace {

/// Appends an entry to a definition list.
void entry(Node list, const std::string& name, const std::string& text) {
  write(child(list, "dt"), name);
  write(line(list, "dd"), text);
}

/// Number of verdicts by Standing, most relevant first.
void tally(Node main, const RunResult& result) {
  std::map<Standing, int64_t> counts;
  for (const Verdict& v : result.verdicts) ++counts[standing_of(v)];
  const Node tally = line(main, "div", "tally");
  for (const Standing s : kStandings) {
    if ((s == Standing::kFlaky || s == Standing::kNotJudged) && counts[s] == 0) continue;
    const Node box = explained(line(tally, "div", counts[s] > 0 && is_bad(outcome_of(s)) ? "alarm" : ""), name(s));
    write(child(box, "b"), std::to_string(counts[s]));
    mark(box, outcome_of(s));
    write(box, fmt::format(" {}", name(s)));
  }
}

/// Seconds between two times of utc_now(); nothing if one is missing.
std::optional<int64_t> seconds_between(const std::string& begun, const std::string& ended) {
  std::array<std::tm, 2> times{};
  if (::strptime(begun.c_str(), "%Y-%m-%dT%H:%M:%SZ", &times[0]) == nullptr ||
      ::strptime(ended.c_str(), "%Y-%m-%dT%H:%M:%SZ", &times[1]) == nullptr)
    return std::nullopt;
  return int64_t(::timegm(&times[1]) - ::timegm(&times[0]));
}

/// The line below the title: library, device, time, version of assay.
void header_facts(Node main, const RunResult& result, const Provenance& provenance, const LibraryInfo& library) {
  std::set<std::string> warps;
  for (const Verdict& v : result.verdicts)
    if (!v.warp.empty()) warps.insert(v.warp);
  const std::string seconds = seconds_between(provenance.begun, provenance.ended)
                                  ? fmt::format(", {} s", *seconds_between(provenance.begun, provenance.ended))
                                  : "";
  const std::string commit = provenance.commit.size() > 12
                                 ? provenance.commit.substr(0, 12) + (provenance.commit.ends_with("+edited") ? "+edited" : "")
                                 : provenance.commit;
  std::string day = provenance.begun;
  std::replace(day.begin(), day.end(), 'T', ' ');
  const std::vector<std::pair<const char*, std::string>> facts = {
      {"library", library.name + (provenance.library.digest.empty() ? "" : " (" + provenance.library.digest + ")")},
      {"chip", library.device.empty() || library.device == library.arch ? library.arch : library.arch + ", " + library.device},
      {"lanes", fmt::format("{}", fmt::join(warps, " and "))},
      {"driver", library.driver},
      {"toolkit", library.toolkit},
      {"date", day + seconds},
      {"host", provenance.host},
      {"Assay", provenance.version + (commit.empty() ? "" : ", commit " + commit)},
      {"share", provenance.share}};
  const Node list = line(main, "dl", "facts");
  for (const auto& [name, text] : facts)
    if (!text.empty()) {
      const Node item = line(list, "div");
      write(child(item, "dt"), name);
      write(child(item, "dd"), text);
    }
  if (list.first_child().empty()) main.remove_child(list);
}

/// Explains the words of this page to readers who see their first report.
void words(Node main) {
  const Folded list = folded(main);
  set(list.summary.parent(), "class", "words");
  write(list.summary, "Words on this page");
  const Node terms = line(list.content, "dl");
  entry(terms, "contract",
        "a table row that says bit by bit what one implementation must compute, and which choices are left to it");
  entry(terms, "case", "one call of an op: contract, shapes, formats and generated inputs");
  entry(terms, "accepted",
        "the codes that a correct kernel may return for an element; an element with another code is 'outside'");
  entry(terms, "failed", "an element is outside its accepted set, or padding is wrong");
  entry(terms, "broken", "the call crashed, hung, or wrote outside its tensors");
  entry(terms, "flaky", "calls with the same inputs returned different bits, or one failed and another passed");
  entry(terms, "untrusted",
        "the output is right, but these inputs could not have exposed some mistakes that the case does not list in blind_to");
  entry(terms, "not run", "the kernel refused the call");
  entry(terms, "mutant",
        "a contract with one mistake. Inputs kill a mutant if the mutant's outputs for these inputs are rejected");
  entry(terms, "ulp", "the distance between two neighbouring numbers of a format");
}

/// How the run ended, and what was run.
void head(Node main, const RunResult& result, const Provenance& provenance, const LibraryInfo& library) {
  const std::string ending = ending_text(result);
  const bool good = (ending == "ALL AS EXPECTED" || ending == "GATE OPEN") && provenance.ended_early.empty();
  code(write(line(main, "h1"), "Assay report: kernels of back end "),
       result.verdicts.empty() ? "" : result.verdicts.front().backend);
  write(line(main, "p", good ? "ending" : "ending bad"), ending);
  if (!provenance.ended_early.empty())
    write(line(main, "p", "early"), "Ended early by " + provenance.ended_early + "; the verdicts of the cases that ran follow.");
  if (!result.harness_error.empty())
    write(line(main, "p", "early"), "Ended early by a failure of the harness: " + result.harness_error);
  header_facts(main, result, provenance, library);
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
  entry(facts, "kernels", fmt::format("{}; their calls took {:.3g} s", kernels.size(), seconds));
  entry(facts, "verdicts", fmt::format("{}, {} not as expected", result.verdicts.size(), result.unexpected()));
  for (const auto& [rung, count] : counts_by_rung(result)) entry(facts, "determinism", fmt::format("{} {}", count, rung));
  words(main);
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
  constexpr size_t kMostOpen = 20;
  Node parent = section;
  if (counts.size() > kMostOpen || standing == Standing::kNotOffered) {
    const Folded list = folded(section);
    write(list.summary, fmt::format("{} reason{}", counts.size(), counts.size() == 1 ? "" : "s"));
    parent = list.content;
  }
  const Node body = table(parent, "skips", {"cases", "because"});
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

/// The passed cases, in a collapsed list for each kernel.
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
  Page(const std::string& ending, bool has_failures) {
    const Node body = begin_page(document_, "Assay: " + ending);
    if (has_failures) {
      Node box = set(set(line(body, "input"), "type", "checkbox"), "id", "only-failures");
      set(box, "aria-label", "show failures only");
    }
    contents_ = line(body, "nav", "contents");
    if (has_failures) write(set(line(contents_, "label", "only"), "for", "only-failures"), "Failures only");
    main_ = set(line(body, "main"), "id", "top");
    link("top", "Top");
  }

  Node main() const { return main_; }

  /// Adds a section unless `fill` produces nothing.
  template <class Fill>
  void add(const char* id, const char* title, const char* css_class, Fill fill) {
    Node section = set(line(main_, "section", css_class), "id", id);
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
  void link(const std::string& id, const char* title) { write(set(line(contents_, "a"), "href", "#" + id), title); }

  pugi::xml_document document_;
  Node contents_, main_;
};

}  // namespace
}  // namespace assay::html

namespace assay {

std::string html_text(const RunResult& result, const LibraryInfo& library, const Provenance& provenance,
                      const EarlierRun* earlier, const ContractTexts& contracts) {
  using namespace html;
  const std::vector<FailureGroup> groups = failures_by_cause(result);
  Page page(ending_text(result), !groups.empty());
  head(page.main(), result, provenance, library);
  page.add("causes", "What failed, by cause", "", [&](Node section) { cause_table(section, result, groups); });
  page.add("gate", "Since the baseline", "", [&](Node section) { gate(section, result); });
  if (earlier != nullptr) page.add("trend", "Since the earlier run", "", [&](Node section) { trend(section, result, *earlier); });
  page.add("contracts", "Verdicts by op and vendor", "", [&](Node section) { matrix(section, result, groups, contracts); });
  page.add("failures", "Failures: one card for each cause", "",
           [&](Node section) { cause_cards(section, result, groups, contracts); });
  page.add("not-run", "Not run", "passing", [&](Node section) { reasons(section, result, Standing::kNotRun); });
  page.add("not-offered", "Not offered", "passing", [&](Node section) { reasons(section, result, Standing::kNotOffered); });
  page.add("power", "Mutants that the inputs expose", "passing", [&](Node section) { power(section, result); });
  page.add("passed", "Passed", "passing", [&](Node section) { passes(section, result); });
  page.add("provenance", "Run details", "", [&](Node section) { provenance_facts(section, provenance, library); });
  return page.source();
}

}  // namespace assay
