#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "harness/report/failure_groups.h"
#include "harness/report/html/parts.h"
#include "harness/report/verdict_text.h"

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

/// A table of the contracts of one op.
class Matrix {
 public:
  Matrix(Node parent, std::vector<Standing> standings, bool with_causes, const ContractTexts& contracts)
      : standings_(std::move(standings)),
        with_causes_(with_causes),
        contracts_(contracts),
        body_(table(wide(parent), "matrix", {"contract", "warp"})) {
    const Node names = body_.parent().child("thead").child("tr");
    for (const Standing s : standings_) {
      const Node name = explained(child(names, "th"), assay::name(s));
      mark(name, outcome_of(s));
      write(name, fmt::format(" {}", assay::name(s)));
    }
    if (with_causes_) write(child(names, "th", "links"), "causes");
  }

  void add(const Rows::value_type& entry) {
    const auto& [key, row] = entry;
    for (const Line& same : lines_of(row)) {
      const Node tr = line(body_, "tr"), contract = cell(tr);
      code(contract, key.second);
      if (const auto text = contracts_.find(key.second); text != contracts_.end() && !text->second.formulas.empty())
        set(contract, "title", fmt::format("{}", fmt::join(text->second.formulas, "\n")));
      write(cell(tr), warps_text(same.warps));
      for (const Standing s : standings_) count_cell(tr, row, s, same.counts->contains(s) ? same.counts->at(s) : 0);
      if (with_causes_) causes_cell(tr, row);
    }
  }

 private:
  std::vector<Standing> standings_;
  bool with_causes_;
  const ContractTexts& contracts_;
  Node body_;
};

/// The first part of a contract's id. Tensor core instructions are named after chips.
std::string vendor_of(const std::string& contract) {
  const std::string first = contract.substr(0, contract.find('.'));
  return first.starts_with("sm_") ? "nvidia" : first.starts_with("gfx") ? "amd" : first;
}

/// Counts over several contracts: verdicts on outputs, how many of these are bad (is_bad()), and calls that kernels refused.
struct Sum {
  int64_t judged = 0, bad = 0, refused = 0;

  void add(const Row& row) {
    for (const auto& [warp, counts] : row.by_warp)
      for (const auto& [standing, count] : counts) {
        if (standing == Standing::kNotRun) refused += count;
        if (standing == Standing::kNotRun || standing == Standing::kNotOffered) continue;
        judged += count;
        if (is_bad(outcome_of(standing))) bad += count;
      }
  }
};

void sum_cell(Node row, const std::string& vendor, const Sum* sum) {
  const bool some = sum != nullptr && sum->judged + sum->refused > 0;
  const Node td = set(cell(row, !some ? "none" : sum->bad > 0 ? "bad" : "some"), "data-vendor", vendor);
  if (!some) return (void)write(td, "\xC2\xB7");
  if (sum->bad > 0) mark(td, Outcome::kFail);
  if (sum->judged == 0) mark(td, Outcome::kSkip);
  write(td, sum->judged == 0 ? ""
            : sum->bad > 0   ? fmt::format(" {} of {}", sum->bad, sum->judged)
                             : fmt::format("{}", sum->judged));
}

using OfOp = std::vector<const Rows::value_type*>;

/// Numbers of verdicts by op and vendor, and numbers of bad ones (is_bad()).
void vendor_table(Node section, const std::map<std::string, OfOp>& ops) {
  std::set<std::string> vendors;
  std::map<std::string, std::map<std::string, Sum>> sums;
  for (const auto& [op, entries] : ops)
    for (const Rows::value_type* entry : entries) {
      const std::string vendor = vendor_of(entry->first.second);
      vendors.insert(vendor);
      sums[op][vendor].add(entry->second);
    }
  if (sums.size() == 1 && vendors.size() == 1) return;  // the table of contracts, which follows on the page, has the counts
  write(line(section, "p", "soft"),
        "Each cell counts verdicts. If some of them are failures, the cell is marked and shows the number of failures first. The "
        "name of an op links to its contracts.");
  std::vector<std::string> head = {"op"};
  head.insert(head.end(), vendors.begin(), vendors.end());
  constexpr size_t kMostColumns = 28;  // more do not fit the page: the counts of an op are then in several lines
  const Node body = table(wide(section), vendors.size() > kMostColumns ? "vendors lines" : "vendors", head);
  for (const auto& [op, by_vendor] : sums) {
    const bool bad = std::any_of(by_vendor.begin(), by_vendor.end(), [](const auto& entry) { return entry.second.bad > 0; });
    const Node row = line(body, "tr", bad ? "" : "passing");
    write(set(child(cell(row), "a"), "href", "#op-" + op), op);
    for (const std::string& vendor : vendors) {
      const auto sum = by_vendor.find(vendor);
      sum_cell(row, vendor, sum == by_vendor.end() ? nullptr : &sum->second);
    }
  }
}

}  // namespace

void matrix(Node section, const RunResult& result, const std::vector<FailureGroup>& groups, const ContractTexts& contracts) {
  const Rows rows = rows_of(result, groups);
  const std::vector<Standing> standings = standings_of(result);
  std::map<std::string, OfOp> busy, idle;
  size_t not_offered = 0;
  for (const auto& entry : rows) {
    (entry.second.is_idle() ? idle : busy)[entry.first.first].push_back(&entry);
    not_offered += entry.second.is_idle();
  }
  const auto put = [&](Node parent, const OfOp& entries) {
    Matrix all(parent, standings, !groups.empty(), contracts);
    for (const Rows::value_type* entry : entries) all.add(*entry);
  };
  if (!busy.empty()) vendor_table(section, busy);
  constexpr size_t kFewOps = 2;
  for (const auto& [op, entries] : busy) {
    const Folded of_op = folded(section);
    set(of_op.summary.parent(), "id", "op-" + op);
    std::map<std::string, int64_t> contracts_of;
    Sum sum;
    for (const Rows::value_type* entry : entries) sum.add(entry->second), ++contracts_of[vendor_of(entry->first.second)];
    if (sum.bad == 0) set(of_op.summary.parent(), "class", "passing");
    if (busy.size() <= kFewOps) set(of_op.summary.parent(), "open", "open");
    write(of_op.summary, op);
    std::string vendors;
    for (const auto& [vendor, count] : contracts_of)
      vendors += fmt::format("{}{} {}", vendors.empty() ? "" : ", ", vendor, count);
    soft(of_op.summary, fmt::format(" {} contract{}: {}", entries.size(), entries.size() == 1 ? "" : "s", vendors));
    put(of_op.content, entries);
  }
  if (idle.empty()) return;
  const Folded others = folded(section);
  set(others.summary.parent(), "class", "passing");
  write(others.summary, fmt::format("{} contract{} not offered by the library", not_offered, not_offered == 1 ? "" : "s"));
  for (const auto& [op, entries] : idle) {
    write(line(others.content, "h5"), op);
    put(others.content, entries);
  }
}

namespace {

/// The mutation scores of all data sets of an op and contract.
struct Family {
  std::set<std::string> data_sets;
  const Power *fewest = nullptr, *most = nullptr;                    ///< data sets with the lowest and highest mutation score
  std::map<std::pair<std::string, std::string>, DataPower> tensors;  ///< summed by tensor name and format
};

/// Tensors of all ranks share a row of the table: "y.rank 3" becomes "y, of each rank".
std::string without_rank(const std::string& tensor) {
  const size_t at = tensor.find(".rank ");
  return at == std::string::npos ? tensor : tensor.substr(0, at) + ", of each rank";
}

double share_seen(const Power& power) { return double(power.seen()) / double(power.faults); }

void add(const Power& power, Family& family) {
  if (family.fewest == nullptr || share_seen(power) < share_seen(*family.fewest)) family.fewest = &power;
  if (family.most == nullptr || share_seen(power) > share_seen(*family.most)) family.most = &power;
  for (const DataPower& data : power.data) {
    DataPower& sum = family.tensors[{without_rank(data.tensor), data.format}];
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

/// Which columns of a table have a value in some row.
struct PowerColumns {
  bool codes = false, subnormal = false, saturated = false, nan = false;

  void add(const Family& family) {
    for (const auto& [name, sum] : family.tensors)
      codes |= sum.codes.any(), subnormal |= sum.subnormal > 0, saturated |= sum.saturated > 0, nan |= sum.not_a_number > 0;
  }
};

void share_cell(Node row, bool there, int64_t count, int64_t of) {
  if (there) write(cell(row, count == 0 ? "number none" : "number"), count == 0 ? "\xC2\xB7" : percent(count, of));
}

void family_rows(Node body, const std::string& contract, const Family& family, const PowerColumns& columns) {
  const size_t count = family.tensors.size();
  Node row = line(body, "tr");
  code(spanning(row, count, "contract"), contract);
  for (const std::string& text : {std::to_string(family.data_sets.size()), faults_text(family.fewest), faults_text(family.most)})
    write(spanning(row, count, "number"), text);
  for (const auto& [tensor, sum] : family.tensors) {
    const bool counted = sum.codes.any();
    if (&sum != &family.tensors.begin()->second) row = line(body, "tr");
    code(cell(row), tensor.first + " " + tensor.second);
    if (columns.codes) {
      const Node visited = cell(row, "visited");
      if (counted) code_strip(visited, sum.codes);
      if (counted) soft(visited, fmt::format("{} of 256", sum.codes.count()));
    }
    share_cell(row, columns.subnormal, sum.subnormal, sum.elements);
    share_cell(row, columns.saturated, sum.saturated, sum.elements);
    share_cell(row, columns.nan, sum.not_a_number, sum.elements);
  }
}

}  // namespace

void power(Node section, const RunResult& result) {
  std::map<std::string, std::map<std::string, Family>> ops;
  for (const Verdict& v : result.verdicts) {
    if (v.power.faults == 0) continue;
    Family& family = ops[v.op][v.contract];
    // Cases that differ only in warp size, and several kernels on one case, share their data.
    if (family.data_sets.insert(data_id(v.case_id)).second) add(v.power, family);
  }
  if (ops.empty()) return;
  write(line(section, "p", "soft"),
        "A data set kills a mutant of its contract if no correct kernel could return the mutant's outputs. The columns for "
        "codes, subnormal, saturated and NaN count outputs that the contract requires.");
  for (const auto& [op, families] : ops) {
    const Folded of_op = folded(section);
    size_t data_sets = 0;
    int64_t killed = 0, faults = 0;
    PowerColumns columns;
    for (const auto& [contract, family] : families)
      data_sets += family.data_sets.size(), killed += family.most->seen(), faults += family.most->faults, columns.add(family);
    write(of_op.summary, op);
    soft(of_op.summary,
         fmt::format(" {} contract{}, {} data set{}; the best data set of each contract kills {} of {} mutants", families.size(),
                     families.size() == 1 ? "" : "s", data_sets, data_sets == 1 ? "" : "s", killed, faults));
    std::vector<std::string> head = {"contract", "data sets", "fewest killed", "most killed", "output"};
    if (columns.codes) head.push_back("codes visited, 0x00 to 0xff");
    if (columns.subnormal) head.push_back("subnormal");
    if (columns.saturated) head.push_back("saturated");
    if (columns.nan) head.push_back("NaN");
    const Node body = table(wide(of_op.content), "power", head);
    for (const auto& [contract, family] : families) family_rows(body, contract, family, columns);
  }
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

void gate(Node section, const RunResult& result) {
  if (!result.gate) return;
  const Node against = line(section, "p");
  code(write(against, "Against the baseline "), result.gate->baseline);
  if (!result.gate->run.empty()) write(against, ", " + result.gate->run);
  for (const std::string& note : result.gate->notes) write(line(section, "p"), note);
  for (const std::string& gap : result.gate->gaps) write(line(section, "p", "early"), "Incomplete: " + gap);
  const Node body = table(section, "gate", {"state", "verdicts", "gate"});
  std::map<GateState, std::vector<const Verdict*>> verdicts;
  for (const Verdict& v : result.verdicts)
    if (v.gate) verdicts[v.gate->state].push_back(&v);
  for (const auto& [state, count] : counts_by_state(result)) {
    if (count == 0 && state == GateState::kNotInBaseline) continue;
    const Node row = line(body, "tr");
    for (const std::string& text :
         {std::string(name(state)), std::to_string(count), std::string(gate_effect(state, *result.gate))})
      write(cell(row), text);
  }
  for (const auto& [state, of_state] : verdicts) {
    if (state == GateState::kSameBits) continue;
    const Folded list = folded(section);
    write(list.summary, fmt::format("{}: {}", name(state), of_state.size()));
    const Node lines = line(list.content, "ul", "others");
    for (const Verdict* v : of_state) {
      const Node item = line(lines, "li");
      mark(item, v->outcome);
      code(write(item, " "), v->case_id);
      code(write(item, " "), v->kernel);
      soft(write(item, " "), gate_note(*v->gate));
    }
  }
}

void trend(Node section, const RunResult& result, const EarlierRun& earlier) {
  const Trend trend = trend_of(result, earlier);
  const Node counts = write(line(section, "p"), "Against ");
  code(counts, earlier.path);
  write(counts, earlier.begun.empty() ? "" : " of " + earlier.begun);
  write(
      counts,
      fmt::format(": {} worse, {} better, {} wrong that were not checked before, {} still wrong, {} still right, {} checked "
                  "before but not now.",
                  trend.worse.size(), trend.better.size(), trend.fresh.size(), trend.still_bad, trend.still_passed, trend.gone));
  list(section, "Worse: passed before", trend.worse);
  list(section, "Wrong, and not checked before", trend.fresh);
  list(section, "Better: wrong before", trend.better);
}

}  // namespace assay::html
