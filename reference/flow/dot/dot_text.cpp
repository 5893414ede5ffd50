// GEMM contracts as formulas, and the algorithms that match none of them.
#include "reference/flow/dot/dot_text.h"

#include <algorithm>

#include "reference/formats/catalogue.h"
#include "reference/recipe/recipe.h"
#include "reference/units/unit_table.h"

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

std::vector<CellStep> plain_join() { return {CellStep::made("add", {"acc"})}; }

std::vector<std::vector<CellStep>> block_joins() {
  const auto fma = [](const char* scale) { return CellStep::made("fma", {scale, "acc"}); };
  const CellStep add = plain_join().front();
  return {{fma("sa*sb")},          {times("sa"), fma("sb")},          {times("sb"), fma("sa")},
          {times("sa*sb"), add}, {times("sa"), times("sb"), add}, {times("sb"), times("sa"), add}};
}

namespace {

/// Whether to promote after each instruction is to promote never. An instruction that begins with 0 and adds its c at the end by
/// one rounded addition of f32 makes the sum s of its products from c = 0, since 0 + s is s; whether s then meets what was before
/// in the unit or behind it is the same addition.
bool adds_as_promoted(const Unit& unit) { return unit.c_last && unit.d->mantissa_bits == kF32.mantissa_bits; }

/// Of one unit, with scales that join the result.
void add_ways(const DotContract& of_unit, std::vector<DotContract>& all) {
  const std::vector<std::vector<CellStep>> orders = {{times("sa*sb")}, {times("sb"), times("sa")}, {times("sa"), times("sb")}};
  for (const int instructions : {0, 1, 2, 4, 8}) {
    if (instructions > 0 && of_unit.of_integers()) continue;
    if (instructions == 1 && adds_as_promoted(of_unit.unit)) continue;
    for (const std::vector<CellStep>& order : orders) {
      DotContract way = of_unit;
      way.promote = instructions * of_unit.unit.k;
      way.join = instructions > 0 ? plain_join() : std::vector<CellStep>();
      way.part_of = of_unit.part_of > 0 ? of_unit.part_of : kInstructionsOfTile * of_unit.unit.k;
      way.y = with_scales(of_unit.y, order);
      all.push_back(std::move(way));
    }
  }
}

/// With scales of blocks. cuBLASLt cuts k into parts of whole 128 or whole 512 products.
void add_block_ways(const DotContract& of_unit, std::vector<DotContract>& all) {
  for (int64_t promote = of_unit.unit.k; promote <= kScaleBlock; promote *= 2)
    for (const std::vector<CellStep>& join : block_joins())
      for (const int64_t part_of : {kScaleBlock, 4 * kScaleBlock}) {
        DotContract way = of_unit;
        way.promote = promote;
        way.join = join;
        way.part_of = part_of;
        all.push_back(std::move(way));
      }
}

}  // namespace

std::vector<DotContract> dot_ways(const DotContract& like, const UnitTable& units) {
  std::vector<DotContract> all;
  std::vector<const UnitRow*> rows;
  for (const UnitRow& row : units.rows()) rows.push_back(&row);
  if (like.of_unknown_unit())
    for (const DotContract& member : like.members) rows.push_back(member.unit_row);
  for (const UnitRow* row : rows) {
    const Unit& unit = row->unit;
    const bool fits =
        unit.known() && *unit.a == *like.unit.a && *unit.b == *like.unit.b && *unit.d == *like.unit.d && (unit.scale != nullptr) == like.scales_in_unit();
    if (!fits) continue;
    DotContract of_unit = like;
    of_unit.members.clear();
    of_unit.unit_row = row;
    of_unit.unit = unit;
    of_unit.most_parts = like.of_integers() ? 1 : kMostParts;
    of_unit.least_parts = 1, of_unit.part_sums = PartSums::kF32;
    if (like.scales_in_unit())
      of_unit.part_of = kScaleBlock, all.push_back(of_unit);
    else
      like.of_blocks() ? add_block_ways(of_unit, all) : add_ways(of_unit, all);
  }
  return all;
}

std::string dot_way_words(const DotContract& way, const DotProgram& program) {
  std::string words = way.unit_row->id;
  if (way.promote > 0) words += ", promoted every " + std::to_string(way.promote);  // also where this k is shorter
  if (!program.name.empty()) words += ", " + program.name;
  const bool whole = program.name.ends_with(" 1") || program.name.empty();
  if (way.of_blocks() && way.part_of > kScaleBlock && !whole) words += " of whole " + std::to_string(way.part_of);
  if (way.scales_in_unit()) return words + ", scales in the unit";
  if (way.of_blocks()) return words + ", acc = " + formula(join_recipe(way), "chain");
  Recipe scales = dot_recipe(way, kF32, false);
  scales.steps.pop_back();  // formats and a bias are the case's
  return words + ", " + formula(scales, "acc");
}

namespace {

std::string joined(const std::vector<std::string>& layouts) {
  std::string text;
  for (const std::string& one : layouts) text += (text.empty() ? "" : " or ") + one;
  return text;
}

/// "one of lanes(4,8,32), lanes(2,8,64): ..".
std::string orders_of(const DotContract& contract) {
  std::string text = contract.orders.size() > 1 ? "by kernel instance one of " : "";
  for (const KOrder& order : contract.orders) text += order.text() + (order == contract.orders.back() ? "" : ", ");
  return text + ": lanes(L,R,A) takes R products from each of L places that lie A apart, then the next R";
}

std::vector<std::string> unknown_lines(const DotContract& contract) {
  std::vector<std::string> lines = {
      "y     = an element of d as some program of these may make it, whatever bits their units lose or keep:"};
  for (const DotContract& member : contract.members) lines.push_back("        " + member.row->id);
  lines.push_back(
      "unit    each cut of bits and each rounding of a sum is made or left out; exponents and the order of k are the unit's");
  return lines;
}

/// Ways in which a unit may add of which nothing is known.
void append_candidates(const DotContract& contract, std::vector<std::string>& lines) {
  lines.push_back(
      "unit    accumulation is undocumented: an element may be what any candidate model returns, whatever bits it loses or keeps:");
  for (const DotContract& member : contract.members)
    lines.push_back("        " + member.unit.id + ": " + member.unit_row->text("why"));
  lines.push_back(
      "        each cut of bits and each rounding of a sum is made or left out; exponents and the order of k are the "
      "candidate's");
}

}  // namespace

std::vector<std::string> dot_lines(const DotContract& contract) {
  if (contract.unknown() && !contract.of_unknown_unit()) return unknown_lines(contract);
  const std::string unit = contract.unit_row->id;
  std::vector<std::string> lines = {"chain = instructions of " + unit + (contract.orders.empty() ? " in ascending k" : " in k_order") +
                                    ", each with the result of the one before, from 0"};
  if (!contract.orders.empty()) lines.push_back("k_order " + orders_of(contract));
  if (contract.scales_in_unit()) lines.push_back("        the unit takes sa and sb itself: a code for each of its blocks");
  if (contract.promote > 0)
    lines.push_back("acc   = 0; then for the chain of each " + std::to_string(contract.promote) + " products " +
                    formula(join_recipe(contract), "chain") + ", each step rounded to f32");
  else
    lines.push_back("acc   = the chain of all products");
  if (contract.has_atomics())
    lines.push_back("split   k is cut into 2, 4, ... " + std::to_string(contract.most_parts) + " parts of whole " +
                    std::to_string(contract.part_of) + " products: y of each is added to 0 in the format of y, in any order");
  else if (contract.most_parts > 1)
    lines.push_back("split   k may be cut into 1 to " + std::to_string(contract.most_parts) + " parts of whole " +
                    std::to_string(contract.part_of) + " products: acc of each, added in f32 in ascending order");
  if (contract.of_blocks())
    lines.push_back("scales  of blocks " + contract.scales.front().name +
                    ": sa of a row of a, sb of rows of b, for " + std::to_string(contract.scale_block()) +
                    " products; sa lies as " + joined(contract.layouts));
  if (contract.scales.front().a.outer() || contract.scales.front().b.outer())
    lines.push_back("levels  scales of blocks are relative to a scale of the whole tensor: ga of a, gb of b");
  if (contract.shuffle.any())
    lines.push_back("b       shuffled as by AITER's shuffle_weight, layout (" + std::to_string(contract.shuffle.rows) + ", " +
                    std::to_string(contract.shuffle.products) + ")");
  if (contract.azp != GemmAzp::kNone)
    lines.push_back(std::string("azp     acc = acc - ") + (contract.azp == GemmAzp::kTensor ? "azp_adj" : "azp * azp_adj") +
                    " in int32, before anything is rounded");
  const Format& y = *contract.out.front();
  lines.push_back("y     = " + formula(dot_recipe(contract, y, false), "acc"));
  if (!contract.bias.empty()) lines.push_back("        with a bias " + formula(dot_recipe(contract, y, true), "acc"));
  if (contract.flushes) lines.push_back("flush   subnormal scales and biases count as 0, and so does each f32 result");
  if (contract.of_unknown_unit())
    append_candidates(contract, lines);
  else
    for (const std::string& line : unit_lines(contract.unit)) lines.push_back("unit    " + line);
  return lines;
}

}  // namespace assay
