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

/// The columns of a matrix: groups of warp sizes, and what is counted in each.
struct Columns {
  std::vector<std::vector<std::string>> warps;
  std::vector<Standing> standings;
};

/// True if no row tells one warp size from another.
bool warps_agree(const Rows& rows, const std::set<std::string>& warps) {
  return std::all_of(rows.begin(), rows.end(), [&](const auto& row) {
    const auto& by_warp = row.second.by_warp;
    const auto same = [&](const auto& counts) { return counts.second == by_warp.begin()->second; };
    return by_warp.size() == warps.size() && std::all_of(by_warp.begin(), by_warp.end(), same);
  });
}

Columns columns_of(const Rows& rows, const RunResult& result) {
  std::set<std::string> warps;
  for (const auto& [key, row] : rows)
    for (const auto& [warp, counts] : row.by_warp) warps.insert(warp);
  Columns columns;
  if (warps_agree(rows, warps)) {
    columns.warps.emplace_back(warps.begin(), warps.end());
  } else {
    for (const std::string& warp : warps) columns.warps.push_back({warp});
  }
  std::copy_if(kStandings.begin(), kStandings.end(), std::back_inserter(columns.standings), [&](Standing s) {
    return std::any_of(result.verdicts.begin(), result.verdicts.end(), [&](const Verdict& v) { return standing_of(v) == s; });
  });
  return columns;
}

std::string warps_text(const std::vector<std::string>& warps) {
  std::string text;
  for (const std::string& warp : warps) text += (text.empty() ? "" : " and ") + (warp.empty() ? "any" : xml_escaped(warp));
  return "warp " + text + (warps.size() > 1 ? ", each" : "");
}

std::string header(const Columns& columns, bool with_causes) {
  std::string groups = "<tr><th colspan=\"2\"></th>", names = "<tr><th>op</th><th>contract</th>";
  for (const auto& warps : columns.warps) {
    groups += fmt::format("<th class=\"group\" colspan=\"{}\">{}</th>", columns.standings.size(), warps_text(warps));
    for (const Standing s : columns.standings)
      names +=
          fmt::format("<th{}>{} {}</th>", s == columns.standings.front() ? " class=\"first\"" : "", mark(outcome_of(s)), name(s));
  }
  if (with_causes) groups += "<th class=\"first\"></th>", names += "<th class=\"first\">causes</th>";
  return "<thead>" + groups + "</tr>\n" + names + "</tr></thead>";
}

std::string cell(const Row& row, Standing standing, int64_t count, bool first) {
  const char* css = count == 0 ? "none" : is_bad(outcome_of(standing)) ? "bad" : "some";
  std::string text = count == 0 ? "\xC2\xB7" : std::to_string(count);
  if (const auto card = row.first_card.find(standing); count > 0 && card != row.first_card.end())
    text = cause_link(card->second, text);
  return fmt::format("<td class=\"{}{}\">{}</td>", css, first ? " first" : "", text);
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
  return "<td class=\"first\">" + text + "</td>";
}

std::string row_text(const Rows::value_type& entry, const Columns& columns, bool with_causes) {
  const auto& [key, row] = entry;
  std::string text = "<tr><td>" + xml_escaped(key.first) + "</td><td>" + code(key.second) + "</td>";
  for (const auto& warps : columns.warps) {
    const auto counts = row.by_warp.find(warps.front());
    for (const Standing s : columns.standings) {
      const bool known = counts != row.by_warp.end() && counts->second.contains(s);
      text += cell(row, s, known ? counts->second.at(s) : 0, s == columns.standings.front());
    }
  }
  return text + (with_causes ? causes_cell(row) : "") + "</tr>\n";
}

}  // namespace

std::string matrix(const RunResult& result, const std::vector<FailureGroup>& groups) {
  const Rows rows = rows_of(result, groups);
  const Columns columns = columns_of(rows, result);
  const bool with_causes = !groups.empty();
  std::string busy, idle;
  int64_t idle_rows = 0;
  for (const auto& entry : rows) {
    (entry.second.is_idle() ? idle : busy) += row_text(entry, columns, with_causes);
    idle_rows += entry.second.is_idle() ? 1 : 0;
  }
  const auto table = [&](const std::string& body) {
    return wide("<table class=\"matrix\">" + header(columns, with_causes) + "<tbody>\n" + body + "</tbody></table>\n");
  };
  std::string text = busy.empty() ? "" : table(busy);
  if (idle_rows == 0) return text;
  return text + fmt::format("<details><summary>{} contract{} not offered by the library</summary>\n{}</details>\n", idle_rows,
                            idle_rows == 1 ? "" : "s", table(idle));
}

}  // namespace assay::html
