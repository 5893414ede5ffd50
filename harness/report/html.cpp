#include "harness/report/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/report/counts.h"
#include "harness/report/escape.h"
#include "harness/report/html_failures.h"
#include "harness/report/html_parts.h"
#include "harness/report/html_power.h"
#include "harness/report/html_style.h"

namespace assay {
namespace {

using namespace html;

std::string head(const RunResult& result, const LibraryInfo& library, const Provenance& provenance) {
  const std::string ending = ending_text(result);
  const bool good = ending == "ALL AS EXPECTED";
  const std::string backend = result.verdicts.empty() ? "" : result.verdicts.front().backend;
  std::string text = fmt::format("<h1>Assay: verdicts on back end {}</h1>\n<p class=\"ending{}\">{}</p>\n<div class=\"tally\">\n",
                                 code(backend), good ? "" : " bad", ending);
  for (const Outcome outcome : outcomes_of(result)) {
    const int64_t count = result.count(outcome);
    text += fmt::format("<div{}><b>{}</b>{} {}</div>\n", count > 0 && is_bad(outcome) ? " class=\"alarm\"" : "", count,
                        mark(outcome), name(outcome));
  }
  text += "</div>\n<dl>\n";
  for (const Fact& fact : facts_of(provenance, library))
    if (!fact.value.empty()) text += fmt::format("<dt>{}</dt><dd>{}</dd>\n", fact.name, xml_escaped(fact.value));
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

/// Op and contract by warp and outcome. Outcomes that the run does not have get no column.
std::string matrix(const RunResult& result) {
  std::map<std::pair<std::string, std::string>, std::map<std::string, std::map<Outcome, int64_t>>> rows;
  std::set<std::string> warps;
  for (const auto& [key, counts] : counts_by_contract(result)) {
    const auto& [op, contract, warp] = key;
    rows[{op, contract}][warp] = counts;
    warps.insert(warp);
  }
  std::vector<Outcome> outcomes = outcomes_of(result);
  std::erase_if(outcomes, [&](Outcome o) { return result.count(o) == 0; });
  std::string groups = "<tr><th colspan=\"2\"></th>", names = "<tr><th>op</th><th>contract</th>", body;
  for (const std::string& warp : warps) {
    groups += fmt::format("<th class=\"group\" colspan=\"{}\">{}</th>", outcomes.size(),
                          warp.empty() ? "any warp" : "warp " + xml_escaped(warp));
    for (const Outcome o : outcomes)
      names += fmt::format("<th{}>{} {}</th>", o == outcomes.front() ? " class=\"first\"" : "", mark(o), name(o));
  }
  for (auto& [key, by_warp] : rows) {
    const bool idle = std::all_of(by_warp.begin(), by_warp.end(), [](const auto& of) {
      return std::all_of(of.second.begin(), of.second.end(), [](const auto& count) { return count.first == Outcome::kSkip; });
    });
    body += fmt::format("<tr{}><td>{}</td><td>{}</td>", idle ? " class=\"idle\"" : "", xml_escaped(key.first), code(key.second));
    for (const std::string& warp : warps) {
      for (const Outcome o : outcomes) {
        const int64_t count = by_warp[warp][o];
        const char* css = count == 0 ? "none" : is_bad(o) ? "bad" : "some";
        body += fmt::format("<td class=\"{}{}\">{}</td>", css, o == outcomes.front() ? " first" : "",
                            count == 0 ? "\xC2\xB7" : std::to_string(count));
      }
    }
    body += "</tr>\n";
  }
  return "<table class=\"matrix\"><thead>" + groups + "</tr>\n" + names + "</tr></thead><tbody>\n" + body + "</tbody></table>\n";
}

std::string skips(const RunResult& result) {
  std::vector<std::vector<std::string>> rows = {{"cases", "skipped because"}};
  for (const auto& [message, count] : counts_by_message(result, Outcome::kSkip))
    rows.push_back({std::to_string(count), xml_escaped(message)});
  const std::string text = table("skips", rows);
  return text.empty() ? "" : "<h2>Skipped</h2>\n" + text;
}

std::string passes(const RunResult& result) {
  std::vector<std::vector<std::string>> rows = {{"case", "kernel", "ms", "elements", "budget use", "faults seen"}};
  for (const Verdict& v : result.verdicts) {
    if (v.outcome != Outcome::kPass) continue;
    int64_t elements = 0;
    double budget_use = 0;
    for (const TensorFinding& f : v.tensors) elements += f.elements, budget_use = std::max(budget_use, f.budget_use);
    rows.push_back({code(v.case_id), code(v.kernel), fmt::format("{:.2f}", v.seconds * 1000), std::to_string(elements),
                    budget_use > 0 ? fmt::format("{:.2f}", budget_use) : "pinned",
                    v.power.faults > 0 ? fmt::format("{} of {}", v.power.seen(), v.power.faults) : ""});
  }
  if (rows.size() == 1) return "";
  return fmt::format("<h2>Passed</h2>\n<details><summary>{} verdicts</summary>\n{}</details>\n", rows.size() - 1,
                     table("passes", rows));
}

}  // namespace

std::string html_text(const RunResult& result, const LibraryInfo& library, const Provenance& provenance) {
  std::string text =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" "
      "content=\"width=device-width\"/>\n<title>Assay: " +
      ending_text(result) + "</title>\n<style>" + kStyle + "</style>\n</head>\n<body>\n" + mark_definitions() +
      head(result, library, provenance);
  if (!result.verdicts.empty()) text += "<h2>Verdicts by contract</h2>\n" + matrix(result);
  text += html::failures(result) + skips(result);
  if (const std::string power = power_table(result); !power.empty()) {
    text +=
        "<h2>What the data can show</h2>\n<p class=\"soft\">A data set sees a single-step fault of its contract if no right "
        "kernel "
        "could return what the faulty one must. Codes, subnormal, saturated and NaN outputs are those that the contract "
        "demands.</p>\n" +
        power;
  }
  return text + passes(result) + "</body>\n</html>\n";
}

}  // namespace assay
