#include "harness/report/html_matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "harness/report/counts.h"
#include "harness/report/escape.h"
#include "harness/report/html_parts.h"

namespace assay::html {
namespace {

using Counts = std::map<Standing, int64_t>;

struct Row {
  std::map<std::string, Counts> by_warp;
  std::set<size_t> causes;  ///< numbers of the cards with a failure of this contract
  std::map<Standing, size_t> first_card;

  bool is_idle() const {
    return std::all_of(by_warp.begin(), by_warp.end(), [](const auto& warp) {
      return std::all_of(warp.second.begin(), warp.second.end(), [](const auto& c) { return c.first == Standing::kNotOffered; });
    });
  }
};

using Rows = std::map<std::pair<std::string, std::string>, Row>;

Rows rows_of(const RunResult& result, const std::vector<FailureGroup>& groups) {
  Rows rows;
  for (const Verdict& v : result.verdicts) ++rows[{v.op, v.contract}].by_warp[v.warp][standing_of(v)];
  for (size_t i = 0; i < groups.size(); ++i) {
    for (const Twins& twins : groups[i].failures) {
      const Verdict& v = result.verdicts[twins.places.front()];
      Row& row = rows[{v.op, v.contract}];
      row.causes.insert(i);
      row.first_card.try_emplace(standing_of(v), i);
    }
  }
  return rows;
}

/// Counts of a contract that one line shows, and the warp sizes that they hold for.
struct Line {
  std::vector<std::string> warps;
  const Counts* counts;
};

/// Warp sizes that agree share a line.
std::vector<Line> lines_of(const Row& row) {
  std::vector<Line> lines;
  for (const auto& [warp, counts] : row.by_warp) {
    const auto same = std::find_if(lines.begin(), lines.end(), [&](const Line& line) { return *line.counts == counts; });
    if (same == lines.end()) {
      lines.push_back({{warp}, &counts});
    } else {
      same->warps.push_back(warp);
    }
  }
  return lines;
}

std::string warps_text(const std::vector<std::string>& warps) {
  std::string text;
  for (const std::string& warp : warps) text += (text.empty() ? "" : ", ") + (warp.empty() ? "any" : xml_escaped(warp));
  return text + (warps.size() > 1 ? " each" : "");
}

std::vector<Standing> standings_of(const RunResult& result) {
  std::set<Standing> there;
  for (const Verdict& v : result.verdicts) there.insert(standing_of(v));
  std::vector<Standing> standings;
  std::copy_if(kStandings.begin(), kStandings.end(), std::back_inserter(standings),
               [&](Standing s) { return there.contains(s); });
  return standings;
}

std::string header(const std::vector<Standing>& standings, bool with_causes) {
  std::string names = "<tr><th>op</th><th>contract</th><th>warp</th>";
  for (const Standing s : standings) names += fmt::format("<th>{} {}</th>", mark(outcome_of(s)), name(s));
  return "<thead>" + names + (with_causes ? "<th class=\"links\">causes</th>" : "") + "</tr></thead>";
}

std::string cell(const Row& row, Standing standing, int64_t count) {
  const char* css = count == 0 ? "none" : is_bad(outcome_of(standing)) ? "bad" : "some";
  std::string text = count == 0 ? "\xC2\xB7" : std::to_string(count);
  if (const auto card = row.first_card.find(standing); count > 0 && card != row.first_card.end())
    text = cause_link(card->second, text);
  return fmt::format("<td class=\"{}\">{}</td>", css, text);
}

std::string causes_cell(const Row& row) {
  constexpr size_t kMost = 6;
  std::string text;
  size_t shown = 0;
  for (const size_t cause : row.causes) {
    if (shown++ == kMost) {
      text += fmt::format(" and {} more", row.causes.size() - kMost);
      break;
    }
    text += (text.empty() ? "" : " ") + cause_link(cause, std::to_string(cause + 1));
  }
  return "<td class=\"links\">" + text + "</td>";
}

std::string row_text(const Rows::value_type& entry, const std::vector<Standing>& standings, bool with_causes) {
  const auto& [key, row] = entry;
  std::string text;
  for (const Line& line : lines_of(row)) {
    text +=
        fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td>", xml_escaped(key.first), code(key.second), warps_text(line.warps));
    for (const Standing s : standings) text += cell(row, s, line.counts->contains(s) ? line.counts->at(s) : 0);
    text += (with_causes ? causes_cell(row) : "") + "</tr>\n";
  }
  return text;
}

}  // namespace

std::string matrix(const RunResult& result, const std::vector<FailureGroup>& groups) {
  const Rows rows = rows_of(result, groups);
  const std::vector<Standing> standings = standings_of(result);
  const bool with_causes = !groups.empty();
  std::string busy, idle;
  int64_t idle_rows = 0;
  for (const auto& entry : rows) {
    (entry.second.is_idle() ? idle : busy) += row_text(entry, standings, with_causes);
    idle_rows += entry.second.is_idle() ? 1 : 0;
  }
  const auto table = [&](const std::string& body) {
    return wide("<table class=\"matrix\">" + header(standings, with_causes) + "<tbody>\n" + body + "</tbody></table>\n");
  };
  std::string text = busy.empty() ? "" : table(busy);
  if (idle_rows == 0) return text;
  return text + fmt::format("<details><summary>{} contract{} not offered by the library</summary>\n{}</details>\n", idle_rows,
                            idle_rows == 1 ? "" : "s", table(idle));
}

}  // namespace assay::html
