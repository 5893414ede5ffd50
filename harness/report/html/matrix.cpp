#include "harness/report/html/matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "harness/report/counts.h"

namespace assay::html {
namespace {

using Counts = std::map<Standing, int64_t>;

struct Row {
  std::map<std::string, Counts> by_warp;
  std::set<size_t> causes;  ///< numbers of the cards that have a failure of this contract
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

/// Counts of a contract, and the warp sizes they apply to.
struct Line {
  std::vector<std::string> warps;
  const Counts* counts;
};

/// Warp sizes with equal counts share a line.
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
  for (const std::string& warp : warps) text += (text.empty() ? "" : ", ") + (warp.empty() ? "any" : warp);
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

void count_cell(Node line, const Row& row, Standing standing, int64_t count) {
  const Node td = cell(line, count == 0 ? "none" : is_bad(outcome_of(standing)) ? "bad" : "some");
  const auto card = row.first_card.find(standing);
  const bool linked = count > 0 && card != row.first_card.end();
  write(linked ? cause_link(td, card->second) : td, count == 0 ? "\xC2\xB7" : std::to_string(count));
}

void causes_cell(Node line, const Row& row) {
  constexpr size_t kMost = 6;
  const Node td = cell(line, "links");
  size_t shown = 0;
  for (const size_t cause : row.causes) {
    if (shown == kMost) {
      write(td, fmt::format(" and {} more", row.causes.size() - kMost));
      break;
    }
    write(td, shown++ == 0 ? "" : " ");
    write(cause_link(td, cause), std::to_string(cause + 1));
  }
}

/// A table of contracts.
class Matrix {
 public:
  Matrix(Node parent, std::vector<Standing> standings, bool with_causes)
      : standings_(std::move(standings)),
        with_causes_(with_causes),
        body_(table(wide(parent), "matrix", {"op", "contract", "warp"})) {
    const Node names = body_.parent().child("thead").child("tr");
    for (const Standing s : standings_) {
      const Node name = child(names, "th");
      mark(name, outcome_of(s));
      write(name, fmt::format(" {}", assay::name(s)));
    }
    if (with_causes_) write(child(names, "th", "links"), "causes");
  }

  void add(const Rows::value_type& entry) {
    const auto& [key, row] = entry;
    for (const Line& same : lines_of(row)) {
      const Node tr = line(body_, "tr");
      write(cell(tr), key.first);
      code(cell(tr), key.second);
      write(cell(tr), warps_text(same.warps));
      for (const Standing s : standings_) count_cell(tr, row, s, same.counts->contains(s) ? same.counts->at(s) : 0);
      if (with_causes_) causes_cell(tr, row);
    }
  }

 private:
  std::vector<Standing> standings_;
  bool with_causes_;
  Node body_;
};

}  // namespace

void matrix(Node section, const RunResult& result, const std::vector<FailureGroup>& groups) {
  const Rows rows = rows_of(result, groups);
  const std::vector<Standing> standings = standings_of(result);
  std::vector<const Rows::value_type*> busy, idle;
  for (const auto& entry : rows) (entry.second.is_idle() ? idle : busy).push_back(&entry);
  const auto put = [&](Node parent, const std::vector<const Rows::value_type*>& entries) {
    Matrix all(parent, standings, !groups.empty());
    for (const Rows::value_type* entry : entries) all.add(*entry);
  };
  if (!busy.empty()) put(section, busy);
  if (idle.empty()) return;
  const Folded others = folded(section);
  write(others.summary, fmt::format("{} contract{} not offered by the library", idle.size(), idle.size() == 1 ? "" : "s"));
  put(others.content, idle);
}

}  // namespace assay::html
