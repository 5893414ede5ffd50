#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "harness/report/failure_groups.h"
#include "harness/report/html/sections.h"
#include "harness/report/verdict_text.h"

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

namespace {

/// All data sets of an op and contract.
struct Family {
  std::set<std::string> data_sets;
  const Power *fewest = nullptr, *most = nullptr;                    ///< data sets with the lowest and highest mutation score
  std::map<std::pair<std::string, std::string>, DataPower> tensors;  ///< summed by tensor name and format
};

double share_seen(const Power& power) { return double(power.seen()) / double(power.faults); }

void add(const Power& power, Family& family) {
  if (family.fewest == nullptr || share_seen(power) < share_seen(*family.fewest)) family.fewest = &power;
  if (family.most == nullptr || share_seen(power) > share_seen(*family.most)) family.most = &power;
  for (const DataPower& data : power.data) {
    DataPower& sum = family.tensors[{data.tensor, data.format}];
    sum.elements += data.elements;
    sum.codes |= data.codes;
    sum.subnormal += data.subnormal;
    sum.saturated += data.saturated;
    sum.not_a_number += data.not_a_number;
  }
}

/// One stroke per visited code; 0x00 is leftmost.
void code_strip(Node parent, const std::bitset<256>& codes) {
  std::string strokes;
  for (size_t code = 0; code < codes.size();) {
    const size_t begin = code;
    while (code < codes.size() && codes.test(code) == codes.test(begin)) ++code;
    if (codes.test(begin)) strokes += fmt::format("M{} 6h{}", begin, code - begin);
  }
  const Node svg = set(set(child(parent, "svg", "codes"), "width", "258"), "height", "12");
  set(set(svg, "viewBox", "0 0 256 12"), "preserveAspectRatio", "none");
  set(child(svg, "path"), "d", strokes);
}

std::string faults_text(const Power* power) {
  return power == nullptr ? "" : fmt::format("{} of {}", power->seen(), power->faults);
}

/// A cell that spans the rows of all tensors of a family.
Node spanning(Node row, size_t rows, const char* css_class) {
  return set(set(child(row, "td"), "rowspan", std::to_string(rows)), "class", css_class);
}

void share_cell(Node row, int64_t count, int64_t of) {
  write(cell(row, count == 0 ? "number none" : "number"), count == 0 ? "\xC2\xB7" : percent(count, of));
}

void family_rows(Node body, const std::string& op, const std::string& contract, const Family& family) {
  const size_t count = family.tensors.size();
  Node row = line(body, "tr");
  const Node names = spanning(row, count, "contract");
  code(names, contract);
  child(names, "br");
  soft(names, op);
  for (const std::string& text : {std::to_string(family.data_sets.size()), faults_text(family.fewest), faults_text(family.most)})
    write(spanning(row, count, "number"), text);
  for (const auto& [tensor, sum] : family.tensors) {
    const bool counted = sum.codes.any();
    if (&sum != &family.tensors.begin()->second) row = line(body, "tr");
    code(cell(row), tensor.first + " " + tensor.second);
    write(cell(row, "number"), counted ? std::to_string(sum.codes.count()) : "");
    const Node strip = cell(row);
    if (counted) code_strip(strip, sum.codes);
    for (const int64_t part : {sum.subnormal, sum.saturated, sum.not_a_number}) share_cell(row, part, sum.elements);
  }
}

/// Two header rows: a title over two columns has their names below it.
void head(Node table) {
  const Node head = child(table, "thead"), above = line(head, "tr"), below = line(head, "tr");
  const auto over = [&](const char* span, const char* text, const char* css_class = "") {
    const Node name = set(child(above, "th"), span, "2");
    write(*css_class == 0 ? name : set(name, "class", css_class), text);
  };
  over("rowspan", "contract");
  over("rowspan", "data sets", "number");
  over("colspan", "mutants that a data set kills");
  over("rowspan", "output");
  over("colspan", "codes of 256");
  for (const char* text : {"subnormal", "saturated", "NaN"}) over("rowspan", text, "number");
  write(child(below, "th", "number"), "fewest");
  write(child(below, "th", "number"), "most");
  child(below, "th");
  write(child(below, "th"), "0x00 to 0xff, black where visited");
}

}  // namespace

void power(Node section, const RunResult& result) {
  std::map<std::pair<std::string, std::string>, Family> families;
  for (const Verdict& v : result.verdicts) {
    if (v.power.faults == 0) continue;
    Family& family = families[{v.op, v.contract}];
    // Cases that differ only in warp size, and several kernels on one case, share their data.
    if (family.data_sets.insert(data_id(v.case_id)).second) add(v.power, family);
  }
  if (families.empty()) return;
  write(line(section, "p", "soft"),
        "A data set kills a mutant of its contract if no correct kernel could return what the mutant must. Codes, "
        "subnormal, saturated and NaN outputs are those that the contract demands.");
  const Node table = line(wide(section), "table", "power");
  head(table);
  const Node body = child(table, "tbody");
  for (const auto& [key, family] : families) family_rows(body, key.first, key.second, family);
}

namespace {

void list(Node section, const char* title, const std::vector<const Verdict*>& verdicts) {
  if (verdicts.empty()) return;
  const Folded list = folded(section);
  write(list.summary, fmt::format("{}: {}", title, verdicts.size()));
  const Node lines = line(list.content, "ul", "others");
  for (const Verdict* v : verdicts) {
    const Node item = line(lines, "li");
    mark(item, v->outcome);
    code(write(item, " "), v->case_id);
    code(write(item, " "), v->kernel);
    soft(write(item, " "), headline_with_cause(*v));
  }
}

}  // namespace

void trend(Node section, const RunResult& result, const EarlierRun& earlier) {
  const Trend trend = trend_of(result, earlier);
  const Node counts = write(line(section, "p"), "Against ");
  code(counts, earlier.path);
  write(counts, earlier.begun.empty() ? "" : " of " + earlier.begun);
  write(
      counts,
      fmt::format(": {} worse, {} better, {} wrong that were not judged before, {} still wrong, {} still right, {} judged "
                  "before but not now.",
                  trend.worse.size(), trend.better.size(), trend.fresh.size(), trend.still_bad, trend.still_passed, trend.gone));
  list(section, "Worse: passed before", trend.worse);
  list(section, "Wrong, and not judged before", trend.fresh);
  list(section, "Better: wrong before", trend.better);
}

}  // namespace assay::html
