#include "reference/flow/dot/words.h"

#include "reference/formats/catalogue.h"
#include "reference/recipe/formula.h"
#include "reference/units/formula.h"

namespace assay {
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
