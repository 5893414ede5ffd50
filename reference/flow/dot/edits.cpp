#include "reference/flow/dot/edits.h"

#include <algorithm>
#include <set>

#include "reference/flow/dot/ways.h"
#include "reference/formats/catalogue.h"
#include "reference/recipe/verbs.h"
#include "reference/units/neighbours.h"

namespace assay {
namespace {

using Steps = std::vector<CellStep>;

/// The format that the same bits may be taken for: OCP and fnuz.
const Format* sibling(const Format& f) {
  for (const Format& other : all_formats())
    if (!(other == f) && other.bits == f.bits && other.exponent_bits == f.exponent_bits &&
        other.mantissa_bits == f.mantissa_bits && other.bias != f.bias && f.specials != Specials::kInteger)
      return &other;
  return nullptr;
}

class Edits {
 public:
  Edits(const DotContract& right, int64_t k) : right_(right), k_(k) {}

  /// `change` edits the contract, or the mistake.
  template <class Change>
  void add(const std::string& name, Change change) {
    DotNeighbour wrong{name, right_, {}};
    change(wrong);
    all.push_back(std::move(wrong));
  }
  /// Only if its first program adds otherwise for this k than each of the contract's.
  template <class Change>
  void add_programs(const std::string& name, Change change) {
    DotNeighbour wrong{name, right_, {}};
    change(wrong.contract);
    if (!ways(right_).contains(way_of(dot_programs(wrong.contract, k_).front()))) all.push_back(std::move(wrong));
  }
  void y(const std::string& name, const Steps& steps) {
    if (text_of(steps) != text_of(right_.y)) add(name, [&](DotNeighbour& wrong) { wrong.contract.y = steps; });
  }

  std::vector<DotNeighbour> all;

 private:
  using Way = std::pair<int64_t, int64_t>;  ///< promotion and part
  /// Sums that go to f32 every so many products are those of parts so long.
  Way way_of(const DotProgram& program) const {
    return program.part >= k_ && program.promote > 0 ? Way(0, program.promote) : Way(program.promote, program.part);
  }
  std::set<Way> ways(const DotContract& contract) const {
    std::set<Way> found;
    for (const DotProgram& program : dot_programs(contract, k_)) found.insert(way_of(program));
    return found;
  }
  const DotContract& right_;
  int64_t k_;
};

void edit_unit(const DotContract& right, const UnitTable& units, Edits& edits) {
  for (UnitNeighbour& wrong : unit_neighbours(*right.unit_row)) {
    // Which NaN the unit returns is lost in what follows.
    const bool another_nan = wrong.row.unit.nan != right.unit.nan;
    if (!another_nan) edits.add("unit " + wrong.name, [&](DotNeighbour& edited) { edited.contract.unit = wrong.row.unit; });
  }
  const std::string& id = right.unit_row->id;
  const std::string narrow = id.substr(0, id.rfind('.')) + ".f16";
  for (const UnitRow& row : units.rows())
    if (row.id == narrow && row.id != id && row.unit.known() && *row.unit.a == *right.unit.a)
      edits.add("unit: sums in f16", [&](DotNeighbour& edited) { edited.contract.unit = row.unit; });
  if (const Format* a = sibling(*right.unit.a), *b = sibling(*right.unit.b); a && b)
    edits.add("a and b: " + std::string(right.unit.a->name) + " read as " + std::string(a->name), [&](DotNeighbour& edited) {
      edited.contract.unit.a = a;
      edited.contract.unit.b = b;
    });
}

/// Every so many instructions that kernels have, and none. Of promoted blocks that are twice as long, the first one's scales join.
void edit_promotion(const DotContract& right, Edits& edits) {
  if (right.of_integers()) return;
  const auto words = [](int64_t promote) {
    return promote == 0 ? std::string("none") : "every(" + std::to_string(promote) + ")";
  };
  for (const int64_t instructions : {0, 1, 2, 4, 8}) {
    const bool joins_scales = right.of_blocks() && !right.scales_in_unit();
    if (instructions == 0 && joins_scales) continue;
    const int64_t promote = instructions * right.unit.k;
    edits.add_programs("promote: " + words(right.promote) + " -> " + words(promote), [&](DotContract& wrong) {
      wrong.promote = promote;
      if (!joins_scales) wrong.join = promote > 0 ? plain_join() : Steps();
    });
  }
}

/// Every other order in which both scales of a block and acc meet, and one scale forgotten.
void edit_join(const DotContract& right, Edits& edits) {
  const auto add = [&](const std::string& name, const Steps& join) {
    if (text_of(join) != text_of(right.join)) edits.add(name, [&](DotNeighbour& wrong) { wrong.contract.join = join; });
  };
  for (const Steps& join : block_joins()) add("join: " + text_of(right.join) + " -> " + text_of(join), join);
  add("join: sa is left out", {CellStep::made("fma", {"sb", "acc"})});
  add("join: sb is left out", {CellStep::made("fma", {"sa", "acc"})});
}

void edit_split(const DotContract& right, int64_t k, const Format& y, Edits& edits) {
  if (right.of_integers()) return;
  constexpr int kTile = 4;  // instructions of a tile of k, where the row does not say
  const int64_t part_of = right.part_of > 0 ? right.part_of : kTile * right.unit.k;
  DotContract cut = right;
  cut.least_parts = cut.most_parts = 2;
  cut.part_of = part_of;
  const bool can_be_cut = dot_programs(cut, k).front().part < k;
  if (!can_be_cut) return;
  if (right.most_parts == 1)
    edits.add_programs("split: none -> parts(2) of(" + std::to_string(part_of) + ")", [&](DotContract& wrong) { wrong = cut; });
  const auto two_parts = [&](DotNeighbour& wrong, bool DotMistake::*mistake) {
    wrong.contract = cut;
    wrong.mistake.*mistake = true;
  };
  edits.add("split: the last of two parts is lost", [&](DotNeighbour& wrong) { two_parts(wrong, &DotMistake::last_part_lost); });
  if (!(y == kF32))
    edits.add("split: two parts are added in " + std::string(y.name),
              [&](DotNeighbour& wrong) { two_parts(wrong, &DotMistake::parts_in_result); });
}

/// Both orders of two multiplications, and the product of both scales first.
std::vector<Steps> orders(const Steps& scales) {
  const auto step = [](const char* operand) { return CellStep::made("mul", {operand}); };
  std::vector<Steps> all = {{step("sa*sb")}, {step("sb"), step("sa")}, {step("sa"), step("sb")}};
  std::erase_if(all, [&](const Steps& one) { return text_of(one) == text_of(scales); });
  return all;
}

/// The steps of y between those before the scales and the last one.
struct CutY {
  Steps before, scales, c;  ///< `c`: what adds it
  CellStep last;

  explicit CutY(const Steps& y) : last(y.back()) {
    for (const CellStep& step : Steps(y.begin(), y.end() - 1)) {
      Steps& of = step.word == "mul" ? scales : step.text == "add(c)" ? c : before;
      of.push_back(step);
    }
  }
  Steps with(const Steps& middle, const CellStep& end) const {
    Steps steps = before;
    for (const Steps& more : {middle, c, Steps{end}}) steps.insert(steps.end(), more.begin(), more.end());
    return steps;
  }
};

/// Of scales that join the result.
void edit_scales(const CutY& cut, Edits& edits) {
  const std::string text = text_of(cut.scales);
  for (const Steps& other : orders(cut.scales)) edits.y("y: " + text + " -> " + text_of(other), cut.with(other, cut.last));
  for (const char* scale : {"sa", "sb"})
    edits.y(std::string("y: ") + (scale[1] == 'a' ? "sb" : "sa") + " is left out",
            cut.with({CellStep::made("mul", {scale})}, cut.last));
}

void edit_y(const DotContract& right, const Format& y, Edits& edits) {
  const CutY cut(right.y);
  if (!right.of_blocks()) edit_scales(cut, edits);
  Steps gained = cut.scales;
  gained.push_back(CellStep::made("mul", {"101/100"}));
  edits.y("y: gain 101/100", cut.with(gained, cut.last));
  if (!cut.c.empty()) {
    CutY forgets = cut;
    forgets.c.clear();
    edits.y("y: c is left out", forgets.with(cut.scales, cut.last));
  }
  if (y == kF32) return;
  for (const CellStep& other : other_forms(cut.last)) edits.y("y: " + cut.last.text + " -> " + other.text, cut.with(cut.scales, other));
  for (size_t i = 0; i + 1 < cut.scales.size(); ++i) {
    Steps twice = cut.scales;
    twice.insert(twice.begin() + std::ptrdiff_t(i) + 1, cut.last);
    edits.y("y: to(y) after " + cut.scales[i].text, cut.with(twice, cut.last));
  }
}

void edit_bias(const DotContract& right, const Format& y, Edits& edits) {
  edits.add("bias: missing", [&](DotNeighbour& wrong) { wrong.contract.bias.clear(); });
  edits.add("bias: before the scales", [&](DotNeighbour& wrong) {
    Steps& steps = wrong.contract.y;
    const auto at = std::find_if(steps.begin(), steps.end(), [](const CellStep& s) { return s.word == "mul"; });
    steps.insert(at, CellStep::made("add", {"bias"}));
    wrong.contract.bias.clear();
  });
  if (y == kF32) return;
  edits.add("bias: to(y) before " + text_of(right.bias), [&](DotNeighbour& wrong) {
    wrong.contract.bias = {right.y.back(), CellStep::made("add", {"bias"})};
  });
}

}  // namespace

std::vector<DotNeighbour> dot_neighbours(const DotContract& right, const UnitTable& units, int64_t k, const Format& y,
                                         bool with_bias) {
  Edits edits(right, k);
  edit_unit(right, units, edits);
  edit_promotion(right, edits);
  if (right.of_blocks() && !right.scales_in_unit()) edit_join(right, edits);
  edit_split(right, k, y, edits);
  edit_y(right, y, edits);
  if (with_bias) edit_bias(right, y, edits);
  return std::move(edits.all);
}

}  // namespace assay
