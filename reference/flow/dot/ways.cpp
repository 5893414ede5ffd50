#include "reference/flow/dot/ways.h"

#include <algorithm>

#include "reference/formats/catalogue.h"
#include "reference/recipe/formula.h"

namespace assay {
namespace {

constexpr int kMostParts = 16;
constexpr int kInstructionsOfTile = 4;  ///< of k, where the row does not say what parts are multiples of

CellStep times(const char* operand) { return CellStep::made("mul", {operand}); }

/// The steps of y with the scales in another order.
std::vector<CellStep> with_scales(const std::vector<CellStep>& y, const std::vector<CellStep>& scales) {
  std::vector<CellStep> steps;
  for (const CellStep& step : y) {
    if (step.word == "mul") continue;
    if (&step == &y.back()) steps.insert(steps.end(), scales.begin(), scales.end());
    steps.push_back(step);
  }
  return steps;
}

}  // namespace

std::vector<DotContract> dot_ways(const DotContract& like, const UnitTable& units) {
  std::vector<std::vector<CellStep>> orders = {{times("sa*sb")}, {times("sb"), times("sa")}, {times("sa"), times("sb")}};
  std::vector<DotContract> all;
  for (const UnitRow& row : units.rows()) {
    const Unit& unit = row.unit;
    const bool fits =
        unit.known() && *unit.a == *like.unit.a && *unit.b == *like.unit.b && *unit.d == *like.unit.d && !unit.scale;
    if (!fits) continue;
    for (const int instructions : {0, 1, 2, 4, 8}) {
      if (instructions > 0 && like.of_integers()) continue;
      for (const std::vector<CellStep>& order : orders) {
        DotContract way = like;
        way.unit_row = &row;
        way.unit = unit;
        way.promote = instructions * unit.k;
        way.most_parts = like.of_integers() ? 1 : kMostParts;
        way.part_of = like.part_of > 0 ? like.part_of : kInstructionsOfTile * unit.k;
        way.y = with_scales(like.y, order);
        all.push_back(std::move(way));
      }
    }
  }
  return all;
}

std::string dot_way_words(const DotContract& way, const DotProgram& program) {
  std::string words = way.unit_row->id;
  if (way.promote > 0) words += ", promoted every " + std::to_string(way.promote);  // also where this k is shorter
  if (!program.name.empty()) words += ", " + program.name;
  Recipe scales = dot_recipe(way, kF32, false);
  scales.steps.pop_back();  // formats and a bias are the case's
  return words + ", " + formula(scales, "acc");
}

}  // namespace assay
