// The rules of a sign-off: sums over its results, the conditions of PASS, and the headline.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "harness/cli/signoff.h"
#include "harness/text/messages.h"
#include "reference/formats/catalogue.h"
#include "reference/table/table.h"
#include "suites/rulebook.h"

namespace assay::signoff {
namespace {

using Strings = std::vector<std::string>;

void add_format(std::set<std::string>& formats, const std::string& text) {
  if (find_format(text) != nullptr) formats.insert(text);
}

void add_unit_operands(std::set<std::string>& formats, const std::string& id) {
  for (const UnitRow& row : rulebook().units.rows())
    if (row.id == id) add_format(formats, row.text("a")), add_format(formats, row.text("b"));
}

/// The number formats of a case: formats that its cells name, formats of its contract's codes and operands, and formats below 32 bits of its outputs.
std::set<std::string> formats_of(const Case* one, const Json& verdict) {
  std::set<std::string> formats;
  if (one != nullptr)
    for (const auto& [column, cell] : one->parameters) add_format(formats, cell);
  const std::string contract = verdict.value("contract", "");
  add_unit_operands(formats, contract);
  for (const ContractRow* row : rulebook().links_of(contract))
    for (const auto& [column, cell] : row->cells) {
      if (column == "q" || column == "format") add_format(formats, cell.text);
      if (column == "unit") add_unit_operands(formats, cell.text);
    }
  std::set<std::string> outputs;
  for (const Json& tensor : verdict.at("tensors")) add_format(outputs, tensor.value("format", ""));
  for (const std::string& format : outputs)
    if (find_format(format)->bits < 32) formats.insert(format);
  return formats.empty() ? outputs : formats;
}

bool is_judged(const Json& verdict) {
  const std::string outcome = verdict.value("outcome", "");
  return outcome != "skip" && outcome != "unjudged";
}

void count(Json& map, const std::string& key, int64_t by = 1) {
  if (map.is_null()) map = Json::object();
  map[key] = map.value(key, int64_t{0}) + by;
}

/// The index of the first row of the known-failures list that covers the verdict; -1: none.
int deviation_of(const Json& verdict, const std::vector<Deviation>& allowed) {
  Verdict named;
  named.case_id = verdict.value("case", ""), named.kernel = verdict.value("kernel", "");
  for (size_t i = 0; i < allowed.size(); ++i)
    if (allowed[i].covers(named)) return int(i);
  return -1;
}

double number_of(const Json& value) { return value.is_number() ? value.get<double>() : 0; }

void add_ladder(Json& summary, const Json& ladder) {
  if (!ladder.is_object()) return;
  for (const Json& level : ladder.value("held", Json::array())) count(summary["held"], level.get<std::string>());
  const Json absent = ladder.value("absent", Json::object());
  for (const auto& [level, why] : absent.items()) count(summary["absent"], level);
}

}  // namespace

namespace {

/// Throws TableError if a glob of the cell matches none of the names.
void require_matches(const Table& table, const TableRow& row, const char* column, const Strings& names) {
  const std::string& cell = table.text(row, column);
  for (size_t begin = 0; begin <= cell.size();) {
    const size_t end = std::min(cell.find('|', begin), cell.size());
    const std::string glob = cell.substr(begin, end - begin);
    if (std::none_of(names.begin(), names.end(), [&](const std::string& one) { return glob_match(glob, one); }))
      throw table.error(row, column,
                        fmt::format("'{}' matches no {}{}", glob, column == std::string("op") ? "op" : "number format",
                                    did_you_mean(glob, names)));
    begin = end + 1;
  }
}

}  // namespace

std::vector<Need> read_needs(const std::string& file, const Strings& ops) {
  Strings formats;
  for (const Format& format : all_formats()) formats.emplace_back(format.name);

  const Strings columns = {"need", "op", "format", "why"};
  const Table table = read_table(file);
  table.require_columns(columns);
  table.allow_columns(columns);
  std::vector<Need> needs;
  for (const TableRow& row : table.rows) {
    for (const char* column : {"need", "op", "format"})
      if (table.text(row, column).empty()) throw table.error(row, column, "expected a name, or '*' for any; got an empty cell");
    if (!ops.empty()) require_matches(table, row, "op", ops);
    require_matches(table, row, "format", formats);
    needs.push_back({table.text(row, "need"), table.text(row, "op"), table.text(row, "format"), table.text(row, "why")});
  }
  if (needs.empty())
    throw TableError(file, 0, 0, "", "expected at least one row, which names a need of the minimum scope; got none");
  return needs;
}

Json counts_of(const Json& report) {
  Json counts = {{"verdicts", 0}, {"unexpected", 0}, {"judged", 0}, {"outcomes", Json::object()}};
  for (const Json& verdict : report.at("verdicts")) {
    count(counts, "verdicts");
    if (!verdict.value("as_expected", false)) count(counts, "unexpected");
    if (is_judged(verdict)) count(counts, "judged");
    count(counts["outcomes"], verdict.value("outcome", ""));
  }
  return counts;
}

Json summary_of_run(const Json& report, const std::map<std::string, const Case*>& cases, const std::vector<Deviation>& allowed) {
  constexpr size_t kMostFailures = 12;
  Json summary = {{"counts", counts_of(report)},
                  {"passed", 0},
                  {"elements", 0},
                  {"single_code", 0},
                  {"formats", Json::object()},
                  {"contracts", Json::array()},
                  {"worst", nullptr},
                  {"held", Json::object()},
                  {"absent", Json::object()},
                  {"covered", Json::object()},
                  {"failures", Json::array()}};
  std::set<std::string> contracts;
  for (const Json& verdict : report.at("verdicts")) {
    const std::string id = verdict.value("case", ""), kernel = verdict.value("kernel", ""),
                      outcome = verdict.value("outcome", "");
    const bool expected = verdict.value("as_expected", false), passes = outcome == "pass" && expected;
    const int deviation = verdict.value("deviation", "").empty() ? -1 : deviation_of(verdict, allowed);
    if (deviation >= 0) count(summary["covered"], std::to_string(deviation));
    if (!expected && summary["failures"].size() < kMostFailures)
      summary["failures"].push_back({{"case", id},
                                     {"kernel", kernel},
                                     {"outcome", outcome},
                                     {"message", verdict.value("message", "")},
                                     {"causes", verdict.value("causes", Json::array())}});
    if (!is_judged(verdict)) continue;
    contracts.insert(verdict.value("contract", ""));
    if (passes) count(summary, "passed");
    const auto found = cases.find(id);
    for (const std::string& format : formats_of(found == cases.end() ? nullptr : found->second, verdict))
      count(summary["formats"][format], passes ? "pass" : expected ? "deviating" : "bad");
    for (const Json& tensor : verdict.at("tensors")) {
      count(summary, "elements", tensor.value("elements", int64_t{0}));
      count(summary, "single_code", tensor.value("single_code", int64_t{0}));
      const double use = number_of(tensor.value("budget_use", Json(0)));
      if (passes && use > (summary["worst"].is_object() ? summary["worst"].value("use", 0.0) : 0.0))
        summary["worst"] = {{"use", use},
                            {"case", id},
                            {"kernel", kernel},
                            {"tensor", tensor.value("name", "")},
                            {"format", tensor.value("format", "")}};
    }
    add_ladder(summary, verdict.value("ladder", Json()));
  }
  for (const std::string& contract : contracts) summary["contracts"].push_back(contract);
  return summary;
}

Totals totals_of(const Json& manifest) {
  Totals totals;
  std::map<std::string, std::set<std::string>> contracts;
  for (const Json& step : manifest.at("steps")) {
    if (step.value("kind", "") != "run" || !step.contains("summary")) continue;
    const Json& summary = step.at("summary");
    const std::string name = step.value("name", ""), op = name.substr(0, name.find(' '));
    const Json& counts = summary.at("counts");
    totals.judged += counts.value("judged", int64_t{0}), totals.unexpected += counts.value("unexpected", int64_t{0});
    totals.passed += summary.value("passed", int64_t{0});
    totals.elements += summary.value("elements", int64_t{0}), totals.single_code += summary.value("single_code", int64_t{0});
    totals.judged_of[op] += counts.value("judged", int64_t{0}), totals.elements_of[op] += summary.value("elements", int64_t{0});
    totals.repeat_of[op] += summary.at("held").value("repeat", int64_t{0});
    for (const auto& [level, number] : summary.at("held").items()) totals.held[level] += number.get<int64_t>();
    for (const auto& [level, number] : summary.at("absent").items()) totals.absent[level] += number.get<int64_t>();
    for (const auto& [row, number] : summary.at("covered").items())
      totals.covered[row] += number.get<int64_t>(), totals.deviating += number.get<int64_t>();
    for (const auto& [format, of] : summary.at("formats").items())
      for (const auto& [what, number] : of.items()) count(totals.cells[op][format], what, number.get<int64_t>());
    for (const Json& contract : summary.at("contracts")) contracts[op].insert(contract.get<std::string>());
    for (const Json& failure : summary.at("failures")) totals.failures.push_back(failure);
    const Json &worst = summary.at("worst"), &so_far = totals.worst[op];
    if (worst.is_object() && (!so_far.is_object() || worst.value("use", 0.0) > so_far.value("use", 0.0)))
      totals.worst[op] = worst;
  }
  for (const auto& [op, all] : contracts) totals.contracts[op] = {all.begin(), all.end()};
  return totals;
}

namespace {

/// The finished steps of one kind.
std::vector<const Json*> steps_of(const Json& manifest, const std::string& kind) {
  std::vector<const Json*> steps;
  for (const Json& step : manifest.at("steps"))
    if (step.value("kind", "") == kind) steps.push_back(&step);
  return steps;
}

bool is_planned(const Json& manifest, const std::string& kind) {
  return std::any_of(manifest.at("plan").begin(), manifest.at("plan").end(),
                     [&](const Json& one) { return one.value("kind", "") == kind; });
}

/// The planned steps that have not run yet, of one kind or of all kinds.
Strings missing_steps(const Json& manifest, const std::string& kind = "") {
  std::set<std::string> ran;
  Strings missing;
  for (const Json& step : manifest.at("steps")) ran.insert(step.value("name", ""));
  for (const Json& one : manifest.at("plan"))
    if ((kind.empty() || one.value("kind", "") == kind) && !ran.contains(one.value("name", "")))
      missing.push_back(one.value("name", ""));
  return missing;
}

/// "a, b, c, d, e, f and 31 more"
std::string few(const Strings& names) {
  constexpr size_t kMost = 6;
  const auto end = names.begin() + std::ptrdiff_t(std::min(kMost, names.size()));
  return fmt::format("{}{}", fmt::join(names.begin(), end, ", "),
                     names.size() > kMost ? fmt::format(" and {} more", names.size() - kMost) : "");
}

/// Makes a rule. A rule that holds for the steps that ran is open while steps are `missing`, because these could break it.
Rule decided(std::string what, std::string found, bool kept, const Strings& missing) {
  return {std::move(what), std::move(found), kept && missing.empty(), kept && !missing.empty()};
}

/// Whether step `golden` failed only because of other steps' verdicts: it records outputs only if all verdicts are as expected.
bool follows_from_verdicts(const Json& step, const Totals& totals) {
  return step.value("name", "") == "golden" && totals.unexpected > 0 &&
         step.value("message", "").find("not as expected") != std::string::npos;
}

Rule steps_rule(const Json& manifest, const Totals& totals) {
  Strings failed;
  for (const Json& step : manifest.at("steps"))
    if (step.value("state", "") != "ended")
      failed.push_back(step.value("name", "") + (follows_from_verdicts(step, totals)
                                                     ? ", which follows from the verdicts that are not as expected"
                                                     : ": " + step.value("message", "")));
  const Strings missing = missing_steps(manifest);
  std::string found =
      fmt::format("{} of {}", manifest.at("plan").size() - missing.size() - failed.size(), manifest.at("plan").size());
  if (!missing.empty()) found += fmt::format("; not run yet: {}", few(missing));
  if (!failed.empty()) found += fmt::format("; failed: {}", fmt::join(failed, "; "));
  return decided("Every step ran to its end", found, failed.empty(), missing);
}

/// Writes "a|b" as "a | b", so that a long table cell can break between globs.
std::string spaced(const std::string& globs) {
  std::string text;
  for (const char c : globs) text += c == '|' ? " | " : std::string(1, c);
  return text;
}

void add_scope_rules(std::vector<Rule>& rules, const Json& manifest, const Totals& totals) {
  std::set<std::string> to_run;
  for (const std::string& step : missing_steps(manifest, "run")) to_run.insert(step.substr(0, step.find(' ')));
  for (const Json& need : manifest.at("needs")) {
    int64_t passed = 0;
    std::set<std::string> ops;
    for (const auto& [op, formats] : totals.cells)
      for (const auto& [format, cell] : formats) {
        if (!any_glob_matches(need.value("op", ""), op) || !any_glob_matches(need.value("format", ""), format)) continue;
        if (const int64_t number = cell.value("pass", int64_t{0}); number > 0) passed += number, ops.insert(op);
      }
    Strings may_pass;
    for (const std::string& op : to_run)
      if (any_glob_matches(need.value("op", ""), op)) may_pass.push_back(op);
    const std::string format = need.value("format", "");
    rules.push_back({fmt::format("Minimum scope: {} ({}{})", need.value("need", ""), spaced(need.value("op", "")),
                                 format == "*" ? "" : " in " + spaced(format)),
                     passed > 0         ? fmt::format("passes: {}", fmt::join(ops, ", "))
                     : may_pass.empty() ? "not offered, or no case passes"
                                        : "not run yet: " + few(may_pass),
                     passed > 0, passed == 0 && !may_pass.empty()});
  }
}

void add_deviation_rule(std::vector<Rule>& rules, const Json& manifest, const Totals& totals) {
  const Json& allowed = manifest.at("deviations");
  const Strings missing = missing_steps(manifest, "run");
  Strings wrong;
  for (size_t i = 0; i < allowed.size(); ++i) {
    const std::string row = fmt::format("row {} ({})", i + 1, allowed[i].value("issue", "")),
                      outcome = allowed[i].value("outcome", "");
    if (missing.empty() && !totals.covered.contains(std::to_string(i))) wrong.push_back(row + " covers no verdict");
    if (outcome != "fail" && outcome != "untrusted" && outcome != "skip") wrong.push_back(row + " allows '" + outcome + "'");
  }
  const std::string found =
      allowed.empty() ? "none"
                      : fmt::format("{} row{}, {} verdicts", allowed.size(), allowed.size() == 1 ? "" : "s", totals.deviating);
  rules.push_back(decided("Each allowed deviation names an owner and an issue, occurs in a verdict, and is not a crash",
                          wrong.empty() ? found : fmt::format("{}", fmt::join(wrong, "; ")), wrong.empty(),
                          allowed.empty() ? Strings() : missing));
}

void add_probe_rules(std::vector<Rule>& rules, const Json& manifest) {
  int64_t probed = 0, right = 0, conversions = 0, kept = 0;
  Strings wrong;
  for (const Json* step : steps_of(manifest, "probe")) {
    if (!step->contains("summary")) continue;
    for (const Json& one : step->at("summary").at("instructions")) {
      ++probed;
      if (found_as_called(one)) ++right;
      else wrong.push_back(one.value("id", ""));
    }
    for (const Json& one : step->at("summary").at("conversions")) {
      ++conversions;
      if (one.value("as_called", false)) ++kept;
      else wrong.push_back(one.value("called", "") + " from " + one.value("from", ""));
    }
  }
  const int64_t offered = manifest.at("offers").value("instructions", int64_t{0}),
                casts = manifest.at("offers").value("conversions", int64_t{0});
  Strings no_instructions = missing_steps(manifest, "probe"), no_conversions;
  if (const auto last = std::find(no_instructions.begin(), no_instructions.end(), "conversions"); last != no_instructions.end())
    no_conversions = {*last}, no_instructions.erase(last);
  const auto found = [&](int64_t good, int64_t of, int64_t all) {
    if (all == 0)
      return std::string(manifest.at("request").value("suites", Json::array()).empty() ? "none offered"
                                                                                       : "none offered, or left out by --suite");
    if (of == 0) return fmt::format("none probed; {} offered", all);
    return fmt::format("{} of {} probed{}", good, of, of < all ? fmt::format("; {} offered", all) : "") +
           (good < of ? fmt::format("; not: {}", fmt::join(wrong, ", ")) : "");
  };
  rules.push_back(decided("Each probed tensor core instruction has a model that equals its row in the table",
                          found(right, probed, offered),
                          right == probed && (offered == 0 || probed > 0 || !no_instructions.empty()), no_instructions));
  rules.push_back(decided(
      "Each conversion obeys the contract that it is offered for",
      conversions == 0 && casts > 0 ? fmt::format("none probed; {} offered", casts) : found(kept, conversions, conversions),
      kept == conversions && (casts == 0 || conversions > 0 || !no_conversions.empty()), no_conversions));
}

void add_golden_rules(std::vector<Rule>& rules, const Json& manifest, const Totals& totals) {
  for (const Json* step : steps_of(manifest, "golden")) {
    const bool checks = step->value("name", "") == "reference";
    const bool good = step->value("state", "") == "ended" && step->value("code", -1) == 0;
    const std::string why =
        follows_from_verdicts(*step, totals) ? "follows from the verdicts that are not as expected" : step->value("message", "");
    rules.push_back({checks ? "The reference computes the recorded predictions" : "The outputs of the quick tier are recorded",
                     good ? "yes" : "NO: " + why, good});
  }
  for (const Json* step : steps_of(manifest, "diff")) {
    if (!step->contains("summary")) continue;
    const Json& sum = step->at("summary");
    const bool comparable = sum.value("same", 0) + sum.value("differ", 0) > 0;
    rules.push_back({"The recorded outputs were compared with " + sum.value("b", ""),
                     comparable
                         ? fmt::format("{} of {} calls returned the same bits; the contracts accept the outputs of the others",
                                       sum.value("same", 0), sum.value("same", 0) + sum.value("differ", 0))
                         : "no call is in both recordings, because the kernels have other names",
                     step->value("state", "") == "ended"});
  }
}

}  // namespace

std::vector<Rule> rules_of(const Json& manifest, const Totals& totals) {
  std::vector<Rule> rules = {steps_rule(manifest, totals)};
  const Strings to_run = missing_steps(manifest, "run");
  rules.push_back(decided("Every verdict is a pass or an allowed deviation",
                          fmt::format("{} verdicts: {} pass, {} deviate, {} neither", totals.judged, totals.passed,
                                      totals.deviating, totals.unexpected),
                          totals.unexpected == 0 && (totals.judged > 0 || !to_run.empty()), to_run));
  add_scope_rules(rules, manifest, totals);
  add_deviation_rule(rules, manifest, totals);
  Strings untested;
  int64_t held = 0;
  for (const auto& [op, judged] : totals.judged_of)
    if (judged > 0 && totals.repeat_of.at(op) == 0) untested.push_back(op);
  for (const auto& [level, number] : totals.held) held += number;
  rules.push_back(decided(
      "Every op was called repeatedly and returned the same bits",
      untested.empty() ? fmt::format("{} invariance tests hold", held) : fmt::format("not tested: {}", fmt::join(untested, ", ")),
      untested.empty() && (held > 0 || !to_run.empty()), to_run));
  if (is_planned(manifest, "probe")) add_probe_rules(rules, manifest);
  add_golden_rules(rules, manifest, totals);
  return rules;
}

Headline headline_of(const Json& manifest, const Totals& totals, const std::vector<Rule>& rules) {
  const bool kept = std::all_of(rules.begin(), rules.end(), [](const Rule& rule) { return rule.kept; });
  std::set<std::string> tried;
  for (const Json& step : manifest.at("steps")) tried.insert(step.value("name", ""));
  const bool complete = std::all_of(manifest.at("plan").begin(), manifest.at("plan").end(),
                                    [&](const Json& one) { return tried.contains(one.value("name", "")); });
  int64_t ops = 0, all_ops = 0, contracts = 0, all_contracts = 0, probed = 0;
  for (const Json& op : manifest.at("scope")) {
    const auto found = totals.contracts.find(op.value("op", ""));
    ++all_ops, all_contracts += op.value("contracts", int64_t{0});
    if (found != totals.contracts.end()) ++ops, contracts += int64_t(found->second.size());
  }
  for (const Json* step : steps_of(manifest, "probe"))
    if (step->contains("summary")) probed += int64_t(step->at("summary").at("instructions").size());
  const int64_t offered = manifest.at("offers").value("instructions", int64_t{0});
  const bool full_tier = manifest.at("request").value("tier", "") == "full";
  const bool whole = ops == all_ops && contracts == all_contracts && probed == offered && full_tier;
  const std::string state = !complete ? "INCOMPLETE" : kept ? "PASS" : "FAIL";
  if (state == "INCOMPLETE") return {state, fmt::format("INCOMPLETE: {} of {} steps", tried.size(), manifest.at("plan").size())};
  std::string text =
      whole ? fmt::format("{}: all {} ops, all {} contracts", state, all_ops, all_contracts)
            : fmt::format("{}: {} of {} ops, {} of {} contracts", kept ? "PASS for a partial scope" : "FAIL, partial scope", ops,
                          all_ops, contracts, all_contracts);
  if (probed < offered) text += fmt::format(", {} of {} instructions probed", probed, offered);
  if (!full_tier) text += ", quick tier only";
  if (totals.deviating > 0) text += fmt::format(", {} deviation{}", totals.deviating, totals.deviating == 1 ? "" : "s");
  return {state, text};
}

}  // namespace assay::signoff
