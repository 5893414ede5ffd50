// The page of a sign-off. It prints to two to four sheets of A4.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "harness/cli/signoff.h"
#include "reference/formats/catalogue.h"
#include "suites/rulebook.h"

namespace assay::signoff {
namespace {

using html::Node;
using Strings = std::vector<std::string>;

Strings strings_of(const Json& list) {
  Strings texts;
  for (const Json& text : list) texts.push_back(text.get<std::string>());
  return texts;
}

/// "12.3 M"
std::string short_count(int64_t count) {
  if (count < 10'000) return std::to_string(count);
  if (count < 10'000'000) return fmt::format("{} k", count / 1000);
  if (count < 10'000'000'000) return fmt::format("{} M", count / 1'000'000);
  return fmt::format("{} G", count / 1'000'000'000);
}

void facts(ChipPage& page, const Json& manifest, const std::string& digest) {
  const Json &library = manifest.at("library"), &program = manifest.at("program"), &request = manifest.at("request");
  double seconds = 0, of_cpu = 0;
  for (const Json& step : manifest.at("steps")) seconds += step.value("seconds", 0.0), of_cpu += step.value("cpu_seconds", 0.0);
  page.facts({{"chip", chip_text(library)},
              {"driver", library.value("driver", "")},
              {"toolkit", library.value("toolkit", "")},
              {"library", library.value("name", "") + " (" + library.value("digest", "") + ")"},
              {"run", fmt::format("{} to {}, {:.0f} s in {} steps, {:.0f} s of CPU", manifest.value("began", ""),
                                  manifest.value("ended", ""), seconds, manifest.at("steps").size(), of_cpu)},
              {"host", manifest.value("host", "")},
              {"signed off by", request.value("by", "").empty() ? "nobody was named" : request.value("by", "")},
              {"Assay", fmt::format("{}, commit {} ({})", program.value("version", ""), program.value("commit", "").substr(0, 12),
                                    program.value("digest", ""))},
              {"digest of " + std::string(kManifest), digest}});
}

void rules_table(Node section, const std::vector<Rule>& rules) {
  html::write(html::line(section, "p", "soft"), "The verdict is PASS only if all of these conditions hold.");
  const Node body = html::table(section, "rules", {"", "condition", "found"});
  for (const Rule& rule : rules) {
    const Node row = html::line(body, "tr");
    const bool bad = !rule.kept && !rule.open;
    html::mark(html::cell(row, rule.kept ? "ok"
                               : bad     ? "bad"
                                         : "soft"),
               rule.kept ? Outcome::kPass
               : bad     ? Outcome::kFail
                         : Outcome::kNotJudged);
    html::write(html::cell(row), rule.what);
    html::write(html::cell(row, bad ? "bad" : ""), rule.open ? "open: " + rule.found : rule.found);
  }
}

void failures(Node section, const Totals& totals) {
  const Node body = html::table(section, "failing", {"case", "kernel", "outcome", "cause"});
  constexpr size_t kMost = 15;
  for (size_t i = 0; i < totals.failures.size() && i < kMost; ++i) {
    const Json& one = totals.failures[i];
    const Strings causes = strings_of(one.at("causes"));
    text_row(body, {one.value("case", ""), one.value("kernel", ""), one.value("outcome", ""),
                    causes.empty() ? one.value("message", "") : causes.front()});
  }
  html::write(html::line(section, "p", "soft"), "The files OP.TIER.json have every verdict.");
}

/// The number formats in the results, the widest first; formats of the same width are sorted by name.
Strings formats_of(const Totals& totals) {
  std::set<std::string> names;
  for (const auto& [op, cells] : totals.cells)
    for (const auto& [format, cell] : cells) names.insert(format);
  Strings all(names.begin(), names.end());
  std::stable_sort(all.begin(), all.end(), [](const std::string& a, const std::string& b) {
    const Format *x = find_format(a), *y = find_format(b);
    return (x ? x->bits : 0) > (y ? y->bits : 0);
  });
  return all;
}

std::string cell_text(const Json& cell) {
  const int64_t pass = cell.value("pass", int64_t{0}), bad = cell.value("bad", int64_t{0}),
                deviating = cell.value("deviating", int64_t{0});
  std::string text = bad > 0 ? fmt::format("{} of {} fail", bad, pass + bad + deviating) : std::to_string(pass);
  if (deviating > 0) text += fmt::format(" + {} dev", deviating);
  return text;
}

void matrix(Node section, const Json& manifest, const Totals& totals) {
  const Strings formats = formats_of(totals);
  html::write(html::line(section, "p", "soft"),
              "Each cell is the number of verdicts that pass, by op and number format; a case with several formats counts under "
              "each of them. Budget is the largest distance of an element from the middle of its accepted interval, divided by "
              "half the width; 100 % is the last accepted code. Exact means that every element accepts only one code. \"+ N "
              "dev\" means N allowed deviations.");
  Strings head = {"op", "contracts"};
  head.insert(head.end(), formats.begin(), formats.end());
  head.insert(head.end(), {"elements", "budget"});
  const Node body = html::table(html::wide(section), "grid", head);
  std::map<std::string, int64_t> contracts;
  for (const Json& op : manifest.at("scope")) contracts[op.value("op", "")] = op.value("contracts", int64_t{0});
  for (const auto& [op, judged] : totals.judged_of) {
    if (judged == 0) continue;
    const Node row = html::line(body, "tr");
    html::write(html::cell(row), op);
    const auto of = totals.contracts.find(op);
    html::write(html::cell(row), fmt::format("{} of {}", of == totals.contracts.end() ? 0 : of->second.size(), contracts[op]));
    for (const std::string& format : formats) {
      const auto& cells = totals.cells.at(op);
      const auto found = cells.find(format);
      const bool bad = found != cells.end() && found->second.value("bad", int64_t{0}) > 0;
      html::write(html::cell(row, found == cells.end() ? "none"
                                  : bad                ? "bad"
                                                       : ""),
                  found == cells.end() ? "\xC2\xB7" : cell_text(found->second));
    }
    html::write(html::cell(row), short_count(totals.elements_of.at(op)));
    const auto worst = totals.worst.find(op);
    const bool has_width = worst != totals.worst.end() && worst->second.is_object();
    html::write(html::cell(row), has_width ? fmt::format("{:.0f} %", 100 * worst->second.value("use", 0.0)) : "exact");
  }
}

/// For each op that has outputs with several accepted codes: the output that is furthest from the middle of its interval.
void worst_outputs(Node section, const Totals& totals) {
  const Node body = html::table(section, "worst", {"op", "budget", "worst output"});
  for (const auto& [op, worst] : totals.worst) {
    if (!worst.is_object()) continue;
    const std::string id = worst.value("case", "");
    text_row(body, {op, fmt::format("{:.0f} %", 100 * worst.value("use", 0.0)),
                    fmt::format("{}: {} {}", id.starts_with(op + "/") ? id.substr(op.size() + 1) : id, worst.value("tensor", ""),
                                worst.value("format", ""))});
  }
}

void scope(Node section, const Json& manifest, const Totals& totals) {
  Strings offered, absent, silent, left_out, waiting;
  const Strings suites = strings_of(manifest.at("request").value("suites", Json::array()));
  std::set<std::string> ran, planned;
  for (const Json& step : manifest.at("steps")) ran.insert(step.value("name", ""));
  for (const Json& step : manifest.at("plan"))
    if (const std::string name = step.value("name", ""); step.value("kind", "") == "run" && !ran.contains(name))
      planned.insert(name.substr(0, name.find(' ')));
  for (const Json& one : manifest.at("scope")) {
    const std::string op = one.value("op", "");
    const auto judged = totals.judged_of.find(op);
    const bool runs = judged != totals.judged_of.end() && judged->second > 0;
    const bool is_left_out = !suites.empty() && std::find(suites.begin(), suites.end(), op) == suites.end();
    (runs                           ? offered
     : one.value("offered", 0) == 0 ? absent
     : is_left_out                  ? left_out
     : planned.contains(op)         ? waiting
                                    : silent)
        .push_back(op);
  }
  const auto paragraph = [&](const std::string& title, const Strings& names) {
    if (names.empty()) return;
    const Node text = html::line(section, "p");
    html::write(html::child(text, "b"), fmt::format("{} ({}): ", title, names.size()));
    html::write(text, fmt::format("{}", fmt::join(names, ", ")));
  };
  paragraph("Offered and tested", offered);
  paragraph("Offered, not run yet", waiting);
  paragraph("Offered, and left out by --suite", left_out);
  paragraph("Offered, but no case was checked", silent);
  paragraph("NOT OFFERED", absent);
  const Json& request = manifest.at("request");
  Strings limits;
  if (request.value("tier", "") != "full") limits.push_back("only the quick tier ran");
  if (request.value("unit", "*") != "*")
    limits.push_back("instructions were probed only where their id matches " + request.value("unit", ""));
  Strings held, absent_levels;
  for (const auto& [level, number] : totals.held) held.push_back(fmt::format("{} {}", level, number));
  for (const auto& [level, number] : totals.absent) absent_levels.push_back(fmt::format("{} {}", level, number));
  paragraph("Left out", limits);
  const Node tests = html::line(section, "p");
  html::write(html::child(tests, "b"), "Invariance tests that hold: ");
  html::write(tests, held.empty() ? "none" : fmt::format("{}", fmt::join(held, ", ")));
  if (!absent_levels.empty()) html::write(tests, fmt::format("; could not be tried: {}", fmt::join(absent_levels, ", ")));
}

/// Instructions with the same verdict and the same steps, which share a line of the page.
struct Same {
  bool good = true;
  std::string verdict, nearest;
  Strings ids;
};

std::string verdict_of(const Json& one) {
  if (!one.value("no_answer", "").empty()) return "no answer";
  if (!one.value("known", false)) return "UNKNOWN";
  const Json called = one.value("called", Json());
  if (!called.is_object()) return "found";
  return called.value("equal", false) ? "equal to its row"
                                      : fmt::format("DIFFERS in {}", fmt::join(strings_of(called.at("differs_in")), ", "));
}

std::string nearest_of(const Json& one) {
  const Json nearest = one.value("nearest", Json());
  return nearest.is_object()
             ? fmt::format("{} ({} of {} cells)", nearest.value("row", ""), nearest.value("alike", 0), nearest.value("of", 0))
             : "none";
}

/// Chips of units.csv that have an instruction with the same cells as the model that probe found.
std::set<std::string> chips_like(const Json& one) {
  std::set<std::string> chips;
  const Json nearest = one.value("nearest", Json()), called = one.value("called", Json());
  if (called.is_object() && called.value("equal", false)) chips.insert(chip_of_unit(called.value("row", "")));
  if (!nearest.is_object() || nearest.value("alike", 0) != nearest.value("of", 1)) return chips;
  chips.insert(chip_of_unit(nearest.value("row", "")));
  for (const Json& id : nearest.at("same_cells")) chips.insert(chip_of_unit(id.get<std::string>()));
  return chips;
}

void instructions(Node section, const Json& manifest) {
  constexpr size_t kMostLines = 26;
  std::map<std::string, int64_t> like;
  std::map<std::pair<bool, std::string>, Same> groups;
  int64_t probed = 0;
  for (const Json& step : manifest.at("steps")) {
    if (step.value("kind", "") != "probe" || !step.contains("summary")) continue;
    for (const Json& one : step.at("summary").at("instructions")) {
      ++probed;
      for (const std::string& chip : chips_like(one)) ++like[chip];
      const bool good = found_as_called(one);
      const std::string steps = steps_text(one.value("cells", Json::object()));
      Same& same = groups[{good, steps + (good ? "" : verdict_of(one))}];
      same.good = good, same.verdict = verdict_of(one), same.nearest = good ? "" : nearest_of(one);
      same.ids.push_back(one.value("id", ""));
    }
  }
  std::vector<std::pair<int64_t, std::string>> nearest;
  for (const auto& [chip, number] : like) nearest.emplace_back(number, chip);
  std::stable_sort(nearest.begin(), nearest.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  Strings names;
  for (size_t i = 0; i < nearest.size() && i < 5; ++i)
    names.push_back(fmt::format("{} {} of {}", nearest[i].second, nearest[i].first, probed));
  const Node text = html::line(section, "p");
  html::write(html::child(text, "b"), "Nearest known chip: ");
  html::write(text, names.empty() ? "no known chip has an instruction with the same steps."
                                  : fmt::format("{} probed instructions have the same steps.", fmt::join(names, ", ")));
  const Node body = html::table(html::wide(section), "found",
                                {"found: order | exponent | sum | c | round | scale | special", "instructions", "verdict"});
  size_t lines = 0;
  for (const auto& [key, same] : groups) {  // bad ones first
    if (lines++ == kMostLines) break;
    const Node row = html::line(body, "tr");
    const std::string steps = same.good ? key.second : key.second.substr(0, key.second.size() - same.verdict.size());
    html::write(html::cell(row, "steps"), steps);
    html::write(html::cell(row), fmt::format("{}", fmt::join(same.ids, ", ")));
    html::write(html::cell(row, same.good ? "ok k" : "bad"),
                same.verdict + (same.nearest.empty() ? "" : "; nearest row " + same.nearest));
  }
  if (groups.size() > kMostLines)
    html::write(html::line(section, "p", "soft"),
                fmt::format("And {} more lines; the files probe.*.json have them.", groups.size() - kMostLines));
}

void conversions(Node section, const Json& manifest) {
  std::map<std::string, Strings> good;  // contract -> formats that it converts from
  size_t count = 0;
  for (const Json& step : manifest.at("steps")) {
    if (step.value("kind", "") != "probe" || !step.contains("summary")) continue;
    for (const Json& one : step.at("summary").at("conversions")) {
      const std::string name = one.value("called", "") + " from " + one.value("from", "");
      if (one.value("as_called", false)) {
        good[one.value("called", "")].push_back(one.value("from", "")), ++count;
        continue;
      }
      const Strings others = strings_of(one.at("obeys"));
      html::write(html::line(section, "p", "bad"), fmt::format("{}: does not obey this contract; obeys {}", name,
                                                               others.empty() ? std::string("no cast contract of the tables")
                                                                              : fmt::format("{}", fmt::join(others, ", "))));
    }
  }
  Strings names;
  for (const auto& [contract, from] : good) names.push_back(fmt::format("{} (from {})", contract, fmt::join(from, ", ")));
  html::write(html::line(section, "p"), fmt::format("{} obey their contracts: {}", count, fmt::join(names, ", ")));
}

void deviations(Node section, const Json& manifest, const Totals& totals) {
  const Json& allowed = manifest.at("deviations");
  if (allowed.empty()) return (void)html::write(html::line(section, "p"), "No deviation is allowed.");
  const Node body =
      html::table(section, "deviations", {"cases", "kernel", "outcome", "verdicts", "reason", "owner", "issue", "since"});
  for (size_t i = 0; i < allowed.size(); ++i) {
    const Json& row = allowed[i];
    const auto covered = totals.covered.find(std::to_string(i));
    text_row(body, {row.value("case", ""), row.value("kernel", ""), row.value("outcome", ""),
                    std::to_string(covered == totals.covered.end() ? 0 : covered->second), row.value("reason", ""),
                    row.value("owner", ""), row.value("issue", ""), row.value("since", "")});
  }
}

void digests(Node section, const Json& manifest) {
  const Json &library = manifest.at("library"), &program = manifest.at("program"), &inputs = manifest.at("inputs"),
             &request = manifest.at("request");
  html::write(html::line(section, "p", "soft"),
              fmt::format("Each file has an XXH3 digest. Digests show alterations, but a forger can compute new ones: keep the digest of {} "
                          "elsewhere. assay signoff --verify DIR recomputes all digests.",
                          kManifest));
  const Node read = html::line(section, "p");
  html::write(html::child(read, "b"), "Read: ");
  html::write(read,
              fmt::format("{} files in {} ({}); library {}; program {}; minimum scope {}; allowed deviations {}; data {}",
                          inputs.value("files", 0), kInputs, inputs.value("digest", ""), library.value("digest", ""),
                          program.value("digest", ""), request.value("scope", ""),
                          request.value("ledger", "").empty() ? "none" : request.value("ledger", ""), request.value("data", "")));
  const Node written = html::line(section, "p");
  html::write(html::child(written, "b"), "Written");
  html::write(written, fmt::format(" ({} also has the digests of what the steps printed):", kDigests));
  const Node list = html::line(section, "ul", "digests");
  for (const Json& step : manifest.at("steps"))
    for (const Json& file : step.at("files")) {
      const std::string digest = file.value("digest", "");
      if (file.value("file", "").starts_with("steps/")) continue;
      html::write(html::line(list, "li"), digest.substr(digest.find(':') + 1) + " " + file.value("file", ""));
    }
}

void signatures(Node main) {
  const Node area = html::line(main, "div", "signatures");
  for (const char* what : {"signed off by, date", "approved by, date"}) html::write(html::line(area, "div", "soft"), what);
}

}  // namespace

std::string page_of(const Json& manifest, const std::string& manifest_digest) {
  const Totals totals = totals_of(manifest);
  const std::vector<Rule> rules = rules_of(manifest, totals);
  const Headline headline = headline_of(manifest, totals, rules);
  ChipPage page("Sign-off of " + chip_text(manifest.at("library")), headline.text, headline.state == "PASS");
  facts(page, manifest, manifest_digest);
  rules_table(page.section("Conditions"), rules);
  if (!totals.failures.empty()) failures(page.section("What is not as expected"), totals);
  scope(page.section("Scope"), manifest, totals);
  matrix(page.section("Ops by number format"), manifest, totals);
  if (std::any_of(totals.worst.begin(), totals.worst.end(), [](const auto& entry) { return entry.second.is_object(); }))
    worst_outputs(page.section("Worst use of budget"), totals);
  deviations(page.section("Allowed deviations"), manifest, totals);
  bool probed = false, converted = false;
  for (const Json& step : manifest.at("steps"))
    if (step.value("kind", "") == "probe" && step.contains("summary"))
      probed |= !step.at("summary").at("instructions").empty(), converted |= !step.at("summary").at("conversions").empty();
  if (probed) instructions(page.section("Tensor core instructions found"), manifest);
  if (converted) conversions(page.section("Conversions"), manifest);
  digests(page.section("Digests"), manifest);
  signatures(page.main());
  return page.source();
}

}  // namespace assay::signoff
