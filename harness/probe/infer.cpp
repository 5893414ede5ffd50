#include "harness/probe/infer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/probe/fit.h"
#include "harness/probe/probe_data.h"
#include "reference/units/unit_separate.h"
#include "reference/units/unit_table.h"

namespace assay {
namespace {

// Results of an instruction that a model does not explain.

int products_of(const Tiles& tiles, int64_t tile, int64_t e) {
  const Instruction& i = tiles.instruction();
  int count = 0;
  for (int k = 0; k < i.k; ++k)
    count += decode(*i.a, tiles.a(tile, e / i.n, k)) != 0 && decode(*i.b, tiles.b(tile, e % i.n, k)) != 0;
  return count;
}

std::string element_text(const Tiles& tiles, int64_t tile, int64_t e, uint32_t got, uint32_t predicted) {
  const Instruction& i = tiles.instruction();
  const int64_t row = e / i.n, column = e % i.n;
  std::string text;
  int shown = 0;
  for (int k = 0; k < i.k; ++k) {
    const double a = decode(*i.a, tiles.a(tile, row, k)), b = decode(*i.b, tiles.b(tile, column, k));
    if (a == 0 && b == 0) continue;
    if (++shown > 4) continue;
    text += fmt::format("k {}: {:.9g} * {:.9g}, ", k, a, b);
  }
  if (shown > 4) text += fmt::format("and {} more products, ", shown - 4);
  return text + fmt::format("c = {:.9g}: d returned 0x{:0{}x}, predicted 0x{:0{}x}", decode(*i.d, tiles.c(tile, row, column)),
                            got, (i.d->bits + 3) / 4, predicted, (i.d->bits + 3) / 4);
}

}  // namespace

std::vector<Unexplained> unexplained_by(const Unit& unit, const Instruction& instruction, const Seen& seen) {
  std::map<std::string_view, Unexplained> kinds;
  for (const Observation& one : seen.all) {
    Unexplained& kind = kinds[one.kind];
    kind.kind = one.kind;
    for (const ProbeData& data : probe_data())
      if (data.name == one.kind) kind.shows = data.shows;
    kind.elements += int64_t(one.d.size());
    int fewest = 1 << 20;
    for (int64_t tile = 0, at = 0; tile < one.tiles.count(); ++tile)
      for (const uint32_t code : one.tiles.predicted(unit, tile)) {
        const int64_t e = at++ % (instruction.m * instruction.n);
        if (code == one.d[size_t(at - 1)]) continue;
        ++kind.wrong;
        const int size = products_of(one.tiles, tile, e);
        if (size < fewest) fewest = size, kind.example = element_text(one.tiles, tile, e, one.d[size_t(at - 1)], code);
      }
  }
  std::vector<Unexplained> all;
  for (auto& [name, kind] : kinds)
    if (kind.wrong > 0) all.push_back(std::move(kind));
  return all;
}

namespace {

// Models that differ from the fitted one in one parameter and explain the observations equally well.

/// All models of this kind that differ in one particular parameter.
std::vector<Unit> survivors(const UnitParameter& parameter, const Instruction& instruction, const Unit& unit, const Seen& seen);

/// For a numeric parameter, the model in `left` whose value is farthest from that of `unit`. If no input distinguishes the two,
/// no input distinguishes `unit` from a model with a value between them. `left` must not be empty.
Unit farthest(const UnitParameter& parameter, const Unit& unit, const std::vector<Unit>& left);

/// Only valid if no input distinguishes `other` from `unit`, the fitted model. Moves the value of `other` from `left` to `equal`;
/// for a numeric parameter also the values between it and the model's.
void keep_equal(const UnitParameter& parameter, const Unit& unit, const Unit& other, std::vector<Unit>& left,
                std::set<int>& equal);

/// A tile with the operands of a distinguishing input.
Tiles tiles_of(const UnitWitness& witness, const Instruction& instruction);

/// "least(-400) .. least(-134)" for consecutive values; other values are listed one by one.
std::string words_of(const UnitParameter& parameter, const Unit& unit, const std::set<int>& equal);

constexpr int kMostNamed = 4;  ///< limit on the number of listed values (or ranges) that have the same results

std::vector<Unit> survivors(const UnitParameter& parameter, const Instruction& instruction, const Unit& unit, const Seen& seen) {
  std::vector<Unit> left;
  for (const int value : parameter.values(instruction, unit)) {
    if (value == parameter.get(unit)) continue;
    Unit other = unit;
    parameter.set(other, value);
    if (seen.unexplained(other, 0) == 0) left.push_back(other);
  }
  return left;
}

Unit farthest(const UnitParameter& parameter, const Unit& unit, const std::vector<Unit>& left) {
  if (!parameter.is_number) return left.front();
  return *std::max_element(left.begin(), left.end(), [&](const Unit& a, const Unit& b) {
    return std::abs(int64_t(parameter.get(a)) - parameter.get(unit)) < std::abs(int64_t(parameter.get(b)) - parameter.get(unit));
  });
}

void keep_equal(const UnitParameter& parameter, const Unit& unit, const Unit& other, std::vector<Unit>& left,
                std::set<int>& equal) {
  const int here = parameter.get(unit), there = parameter.get(other);
  std::erase_if(left, [&](const Unit& one) {
    const int value = parameter.get(one);
    const bool between = parameter.is_number && (there > here ? value > here && value <= there : value < here && value >= there);
    if (value == there || between) equal.insert(value);
    return value == there || between;
  });
}

Tiles tiles_of(const UnitWitness& w, const Instruction& instruction) {
  Tiles tiles(instruction, 1);
  for (int k = 0; k < instruction.k; ++k) tiles.set_a(0, 0, k, w.a[size_t(k)]), tiles.set_b(0, 0, k, w.b[size_t(k)]);
  for (int s = 0; s < instruction.scales(); ++s)
    tiles.set_a_scale(0, 0, s, w.a_scales[size_t(s)]), tiles.set_b_scale(0, 0, s, w.b_scales[size_t(s)]);
  tiles.set_c(0, 0, 0, w.c);
  return tiles;
}

std::string words_of(const UnitParameter& parameter, const Unit& unit, const std::set<int>& equal) {
  const auto text = [&](int value) {
    Unit other = unit;
    parameter.set(other, value);
    const std::string cell = step_cells(other).at(std::string(parameter.cell));
    return cell.empty() ? "nothing" : cell;
  };
  std::string all;
  int named = 0;
  for (auto at = equal.begin(); at != equal.end(); ++at) {
    if (++named > kMostNamed) return all + fmt::format("; and {} more", std::distance(at, equal.end()));
    const int first = *at;
    auto next = std::next(at);
    while (parameter.is_number && next != equal.end() && *next == *at + 1) at = next++;
    all += (all.empty() ? "" : "; ") + text(first) + (*at == first ? "" : " .. " + text(*at));
  }
  return all;
}

// Comparison of a fitted model with the rows of units.csv.

bool same_operands(const Unit& unit, const UnitRow& row) {
  const Unit& other = row.unit;
  const bool scales = (unit.scale == nullptr) == (other.scale == nullptr) &&
                      (!unit.scale || (*unit.scale == *other.scale && unit.scale_block == other.scale_block));
  return other.known() && *unit.a == *other.a && *unit.b == *other.b && *unit.d == *other.d && unit.k == other.k && scales;
}

int same_texts(const std::map<std::string, std::string>& cells, const UnitRow& row) {
  return int(std::count_if(cells.begin(), cells.end(), [&](const auto& cell) { return row.text(cell.first) == cell.second; }));
}

/// Whether `unit` still predicts the same results if its row has `text` in this column; false if that is not a valid model.
bool makes_no_difference(const UnitRow& unit, const std::string& column, const std::string& text) {
  UnitRow other = unit;
  other.cells[column].text = text;
  try {
    other.unit = read_unit(other);
  } catch (const TableError&) {
    return false;
  }
  return !first_witness(unit.unit, other.unit);
}

}  // namespace

int LikeRow::alike() const {
  return int(std::count_if(cells.begin(), cells.end(), [](const auto& cell) { return cell.second != CellMatch::kDiffers; }));
}

LikeRow compare_with(const Unit& unit, const UnitRow& row) {
  if (!same_operands(unit, row))
    throw std::invalid_argument("unit " + row.id +
                                " cannot be compared: it has other operand formats, or its arithmetic is unknown");
  const UnitRow own = row_of(unit, "probed", "inferred", "", "");
  LikeRow like{&row, {}, true, {}};
  for (const auto& [column, text] : step_cells(unit)) {
    CellMatch& match = like.cells[column];
    match = CellMatch::kSame;
    if (row.text(column) == text) continue;
    like.equal = false;
    match = makes_no_difference(own, column, row.text(column)) ? CellMatch::kEqual : CellMatch::kDiffers;
  }
  if (!like.equal) like.equal = !first_witness(unit, row.unit);
  return like;
}

LikeRow nearest_row(const Unit& unit, const UnitTable& table) {
  const std::map<std::string, std::string> cells = step_cells(unit);
  LikeRow best;
  int most = -1;
  for (const UnitRow& row : table.rows()) {
    if (!same_operands(unit, row)) continue;
    const auto known = [&](const std::string& column) {
      return best.row != nullptr && row.text(column) == best.row->text(column);
    };
    if (std::all_of(unit_step_columns().begin(), unit_step_columns().end(), known)) {
      best.same_cells.push_back(row.id);
      continue;
    }
    const int same = same_texts(cells, row);
    if (same < most || (same == most && best.equal)) continue;
    LikeRow like = compare_with(unit, row);
    if (same > most || like.alike() > best.alike() || (like.equal && !best.equal)) best = std::move(like), most = same;
  }
  return best;
}

UnitRow row_of(const Unit& unit, const std::string& id, const std::string& evidence, const std::string& source,
               const std::string& why) {
  UnitRow row{id, "probe", 0, {}, {}};
  for (const auto& [column, text] : step_cells(unit)) row.cells[column] = {text, 0, 0};
  for (const auto& [column, text] : {std::pair<const char*, std::string>{"id", id},
                                     {"a", std::string(unit.a->name)},
                                     {"b", std::string(unit.b->name)},
                                     {"d", std::string(unit.d->name)},
                                     {"k", std::to_string(unit.k)},
                                     {"evidence", evidence},
                                     {"source", source},
                                     {"why", why}})
    row.cells[column] = {text, 0, 0};
  row.unit = read_unit(row);
  return row;
}

namespace {

// Inference of the units.csv row that describes an instruction, from the instruction's results.

constexpr int kMostRounds = 6;  ///< limit on the fits that follow because a new input contradicts the model
constexpr int64_t kEverything = int64_t{1} << 60;
constexpr int kMostQuestions = 200;  ///< limit on the number of inputs generated to distinguish two models

class Probe {
 public:
  Probe(const Instruction& instruction, const Ask& ask, const ProbeEffort& effort)
      : instruction_(std::make_shared<Instruction>(instruction)), ask_(ask), effort_(effort) {}

  Probed run() {
    look();
    Fit found = fit(*instruction_, seen_, nan_);
    for (int round = 0; found.unexplained == 0 && round < kMostRounds; ++round) {
      ask_between(found);
      if (found.unexplained == 0) check(found, uint64_t(round));
      if (found.unexplained == 0) break;
      found = improved(*instruction_, seen_, found);
      if (found.unexplained != 0) found = fit(*instruction_, seen_, nan_);
    }
    result_.instruction = instruction_;
    result_.unit = found.unit;
    explain(found.unit);
    return std::move(result_);
  }

 private:
  std::vector<uint32_t> answer(const Tiles& tiles) {
    std::vector<uint32_t> d = ask_(tiles);
    result_.elements += int64_t(d.size());
    return d;
  }

  const Observation& observe(std::string_view kind, Tiles tiles) {
    std::vector<uint32_t> d = answer(tiles);
    seen_.all.push_back({kind, std::move(tiles), std::move(d)});
    return seen_.all.back();
  }

  /// Runs the inputs of every kind, and finds the properties that need no model.
  void look() {
    Instruction& i = *instruction_;
    i.dead = dead_places(
        i, observe("alone", probe_tiles("alone", i, std::max<int64_t>(i.k, tiles_for(i, effort_.elements)), effort_.seed)));
    if (std::count(i.dead.begin(), i.dead.end(), true) == 0) {
      i.dead.clear();
    } else {
      std::string places;
      for (size_t k = 0; k < i.dead.size(); ++k)
        if (i.dead[k]) places += (places.empty() ? "" : ", ") + std::to_string(k);
      result_.remarks.push_back("order: products at k = " + places + " have no effect on results; the other tests set them to 0");
      seen_.all.clear();
      observe("alone", probe_tiles("alone", i, i.k, effort_.seed));
    }
    for (const ProbeData& data : probe_data())
      if (data.name != "alone")
        observe(data.name, probe_tiles(data.name, i, std::max<int64_t>(6, tiles_for(i, effort_.elements)), effort_.seed));
    if (!i.integers()) {
      find_nan();
      look_at_c();
    }
    const Ask counted = [this](const Tiles& tiles) { return answer(tiles); };
    seen_.alike = places_alike(i, counted, effort_.elements, effort_.seed);
    seen_.c_at_the_end = adds_c_at_the_end(i, counted, effort_.elements / 2, effort_.seed + 1);
  }

  void find_nan() {
    std::map<uint32_t, int64_t> codes;
    for (const Observation& one : seen_.all)
      for (const uint32_t code : one.d)
        if (std::isnan(decode(*instruction_->d, code))) ++codes[code];
    nan_ = plain_unit(*instruction_).nan;
    int64_t most = 0;
    std::string all;
    for (const auto& [code, count] : codes) {
      if (count > most) nan_ = code, most = count;
      all += fmt::format("{}{:x}", all.empty() ? "" : ", ", code);
    }
    if (codes.size() > 1) result_.remarks.push_back("special: NaN results have several codes: " + all);
  }

  /// Adds a remark if d is Inf for a small c and products that are all zero, for which every known model returns d = c.
  void look_at_c() {
    for (const Observation& one : seen_.all) {
      if (one.kind != "c_alone") continue;
      double least = HUGE_VAL;
      for (size_t i = 0; i < one.d.size(); ++i)
        if (std::isinf(decode(*instruction_->d, one.d[i]))) least = std::min(least, std::fabs(c_of(one.tiles, i)));
      if (least < max_finite(*instruction_->d) / 2)
        result_.remarks.push_back(fmt::format("c: the result is Inf for c = {:.9g}, although all products are 0", least));
    }
  }

  double c_of(const Tiles& tiles, size_t element) const {
    const auto at = int64_t(element), n = int64_t(instruction_->n), of_tile = int64_t(instruction_->m) * n;
    return decode(*instruction_->d, tiles.c(at / of_tile, at % of_tile / n, at % n));
  }

  /// Finds models that differ from the fitted one in one value and explain all results. Runs inputs that distinguish them.
  void ask_between(Fit& found) {
    int questions = 0;
    result_.not_observable.clear();
    for (const UnitParameter& parameter : unit_parameters()) {
      if (parameter.of_several) continue;
      std::vector<Unit> left = survivors(parameter, *instruction_, found.unit, seen_);
      std::set<int> equal;
      while (!left.empty() && questions < kMostQuestions) {
        const Unit other = farthest(parameter, found.unit, left);
        const std::optional<UnitWitness> witness = first_witness(found.unit, other);
        const Tiles question = witness ? tiles_of(*witness, *instruction_) : Tiles(*instruction_, 1);
        if (!witness || question.predicted(found.unit, 0) == question.predicted(other, 0)) {
          keep_equal(parameter, found.unit, other, left, equal);
          continue;
        }
        ++questions;
        const Observation& seen = observe("between", question);
        if (mismatches(found.unit, seen, 0) != 0) {
          if (mismatches(other, seen, 0) != 0) {
            found.unexplained = seen_.unexplained(found.unit, kEverything);
            return;
          }
          found.unit = other;
          left = survivors(parameter, *instruction_, found.unit, seen_);
          equal.clear();
        }
        std::erase_if(left, [&](const Unit& unit) { return mismatches(unit, seen, 0) != 0; });
      }
      if (!equal.empty()) result_.not_observable.push_back({std::string(parameter.cell), words_of(parameter, found.unit, equal)});
    }
  }

  void check(Fit& found, uint64_t round) {
    result_.checked = 0;
    for (const ProbeData& data : probe_data()) {
      Tiles tiles = probe_tiles(data.name, *instruction_, std::max<int64_t>(6, tiles_for(*instruction_, effort_.checked)),
                                effort_.seed + 1000 + round);
      Observation seen{data.name, std::move(tiles), {}};
      seen.d = answer(seen.tiles);
      result_.checked += int64_t(seen.d.size());
      found.unexplained += mismatches(found.unit, seen, int64_t(seen.d.size()));
      if (found.unexplained == 0) continue;
      seen_.all.push_back(std::move(seen));
      found.unexplained = seen_.unexplained(found.unit, kEverything);
      return;
    }
  }

  void explain(const Unit& unit) {
    result_.unexplained = unexplained_by(unit, *instruction_, seen_);
    if (result_.unexplained.size() == 1 && result_.unexplained[0].kind == "signs")
      result_.remarks.push_back("round: the model explains everything but the signs of zero results");
  }

  std::shared_ptr<Instruction> instruction_;
  const Ask& ask_;
  const ProbeEffort& effort_;
  Seen seen_;
  Probed result_;
  uint32_t nan_ = 0;
};

}  // namespace

Probed probe_unit(const Instruction& instruction, const Ask& ask, const ProbeEffort& effort) {
  return Probe(instruction, ask, effort).run();
}

namespace {

// Text of a probe's result.

const char* word(CellMatch match) {
  return match == CellMatch::kSame ? "=" : match == CellMatch::kEqual ? "no difference on this instruction" : "DIFFERS";
}

/// "take(8), DIFFERS"
std::string beside(const LikeRow& like, const std::string& column) {
  const CellMatch match = like.cells.at(column);
  if (match == CellMatch::kSame) return "=";
  const std::string& text = like.row->text(column);
  return fmt::format("{}, {}", text.empty() ? "-" : text, word(match));
}

void cell_lines(const Probed& probed, const LikeRow* claimed, const LikeRow& nearest, std::vector<std::string>& lines) {
  const std::map<std::string, std::string> cells = step_cells(probed.unit);
  const bool one_row = claimed != nullptr && (nearest.row == claimed->row || claimed->equal);
  size_t width = 5, second = 1;
  for (const auto& [column, text] : cells) width = std::max(width, text.size());
  for (const auto& [column, text] : cells)
    if (claimed) second = std::max(second, beside(*claimed, column).size());
  if (claimed) second = std::max(second, claimed->row->id.size() + 12);
  const auto line = [&](const std::string& name, const std::string& own, const std::string& claim, const std::string& near) {
    std::string text = fmt::format("  {:<9} {:<{}}", name, own, width);
    if (claimed) text += fmt::format("   {:<{}}", claim, second);
    if (!one_row && nearest.row) text += "   " + near;
    lines.push_back(text.substr(0, text.find_last_not_of(' ') + 1));
  };
  line("cell", "found", claimed ? "offered for " + claimed->row->id : "", nearest.row ? "nearest: " + nearest.row->id : "");
  for (const std::string& column : unit_step_columns()) {
    const std::string& own = cells.at(column);
    const bool nothing =
        own.empty() && (!claimed || claimed->row->text(column).empty()) && (!nearest.row || nearest.row->text(column).empty());
    if (nothing) continue;
    line(column, own.empty() ? "-" : own, claimed ? beside(*claimed, column) : "", nearest.row ? beside(nearest, column) : "");
  }
}

}  // namespace

std::vector<std::string> probed_lines(const Probed& probed, const LikeRow* claimed, const LikeRow& nearest) {
  std::vector<std::string> lines;
  cell_lines(probed, claimed, nearest, lines);
  if (nearest.row) {
    std::string others;
    for (const std::string& id : nearest.same_cells) others += (others.empty() ? ", and the same cells are found in " : ", ") + id;
    lines.push_back(
        fmt::format("  nearest row {}: {} of {} cells{}", nearest.row->id, nearest.alike(), nearest.cells.size(), others));
  } else {
    lines.push_back("  no row of units.csv has these operand formats");
  }
  for (const NotObservable& one : probed.not_observable)
    lines.push_back(fmt::format("  not observable on this instruction: {}; this cell could also be {}", one.cell, one.what));
  if (probed.known()) {
    lines.push_back(
        fmt::format("  {} elements checked, {} of them on new random inputs after the model was found: the model explains all",
                    probed.elements, probed.checked));
    return lines;
  }
  lines.push_back("  UNKNOWN UNIT: no model explains all results; the cells above are those of the model that explains the most");
  for (const std::string& remark : probed.remarks) lines.push_back("    " + remark);
  for (const Unexplained& one : probed.unexplained) {
    lines.push_back(fmt::format("    {:<10} {} of {} elements not explained{}", one.kind, one.wrong, one.elements,
                                one.shows.empty() ? "" : " (" + one.shows + ")"));
    lines.push_back("               " + one.example);
  }
  return lines;
}

}  // namespace assay
