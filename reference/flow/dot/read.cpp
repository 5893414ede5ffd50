#include <charconv>
#include <stdexcept>

#include "reference/contracts/row_cells.h"
#include "reference/flow/dot/any_order.h"
#include "reference/flow/dot/dot.h"
#include "reference/flow/dot/names.h"
#include "reference/flow/dot/unknown.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "reference/units/replay.h"

namespace assay {
namespace {

/// The argument of a word, a whole number from 1.
int64_t number_of(const RowCells& cells, const std::string& column, const CellStep& word) {
  const std::string text = word.argument(0);
  int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (word.arguments.size() != 1 || failure != std::errc() || end != text.data() + text.size() || value < 1)
    throw cells.error(column, word.position, "'" + word.text + "' takes one whole number from 1");
  return value;
}

void read_promote(const RowCells& cells, DotContract& contract) {
  const std::vector<CellStep> words = cells.steps("promote");
  if (words.size() == 1 && words[0].text == "none") return;
  if (words.size() != 1 || words[0].word != "every") throw cells.error("promote", 0, "is none, or every(PRODUCTS)");
  contract.promote = number_of(cells, "promote", words[0]);
}

void read_split(const RowCells& cells, DotContract& contract) {
  const std::vector<CellStep> words = cells.steps("split");
  if (words.size() == 1 && words[0].text == "none") return;
  const bool two = words.size() == 2 && words[1].word == "of", atomics = two && words[0].word == "atomics";
  if (!two || (words[0].word != "parts" && !atomics))
    throw cells.error("split", 0, "is none, parts(AT_MOST) of(PRODUCTS), or atomics(AT_MOST) of(PRODUCTS)");
  contract.most_parts = int(number_of(cells, "split", words[0]));
  if (atomics && (contract.most_parts < 2 || contract.most_parts > kMostAtomicParts))
    throw cells.error("split", words[0].position, "atomics needs 2 to " + std::to_string(kMostAtomicParts) + " parts");
  if (atomics) contract.part_sums = PartSums::kAtomics, contract.least_parts = 2;
  contract.part_of = number_of(cells, "split", words[1]);
}

/// Orders along k repeat within what leaves the unit at once.
void read_orders(const RowCells& cells, DotContract& contract) {
  contract.orders = read_k_orders(cells, "k_order");
  for (const KOrder& order : contract.orders)
    if (contract.promote % order.period() != 0)
      throw cells.error("k_order", 0, order.text() + " repeats every " + std::to_string(order.period()) + " products, which must divide the " +
                                          std::to_string(contract.promote) + " that are promoted");
}

void read_layouts(const RowCells& cells, DotContract& contract) {
  if (cells.text("layouts").empty() == contract.of_blocks())
    throw cells.error("layouts", 0, "is required for block scales of a, and only allowed with them");
  if (contract.of_blocks()) contract.layouts = cells.alternatives("layouts");
}

/// Scales join once: blocks each promoted sum, all others the result.
void check_scales(const RowCells& cells, const DotContract& contract, const Recipe& join, const Recipe& y) {
  const bool blocks = contract.of_blocks(), in_unit = blocks && join.empty();
  for (const GemmScales& scales : contract.scales)
    if (scales.has_blocks() != blocks || (blocks && scales.products() != contract.scale_block()))
      throw cells.error("scales", 0, "must all have the same block size along k, or none has blocks");
  const auto check_outer = [&](const char* scale, ScaleSpec GemmScales::*of) {
    for (const GemmScales& scales : contract.scales)
      if (reads(y, scale) != ((scales.*of).outer() != nullptr))
        throw cells.error("y", 0, std::string((scales.*of).outer() ? "lacks " : "takes ") + scale + ", the scale of the tensor above the blocks of " + scales.name);
  };
  check_outer("ga", &GemmScales::a);
  check_outer("gb", &GemmScales::b);
  for (const char* scale : {"sa", "sb"}) {
    if (!in_unit && reads(join, scale) != blocks)
      throw cells.error("join", 0, std::string(blocks ? "lacks " : "takes ") + scale + (blocks ? "" : ", which joins the result"));
    if (blocks && reads(y, scale)) throw cells.error("y", 0, std::string("takes ") + scale + ", which joins promoted sums");
  }
  const std::string of_block = " of the " + std::to_string(contract.scale_block()) + " products of a block of scales";
  if (blocks && !in_unit && (contract.promote == 0 || contract.scale_block() % contract.promote != 0))
    throw cells.error("promote", 0, "is no part" + of_block);
  if (blocks && contract.part_of % contract.scale_block() != 0) throw cells.error("split", 0, "parts are no multiple" + of_block);
}

void check_steps(const RowCells& cells, const DotContract& contract) {
  const Recipe join = cells.recipe("join", names_of_join()), y = cells.recipe("y", names_of_result(kF32)),
               bias = cells.recipe("bias", names_of_result(kF32));
  cells.forbid_reduction("join", join);
  cells.forbid_reduction("y", y);
  cells.forbid_reduction("bias", bias);
  if (y.steps.empty() || (y.steps.back().text != "to(y)" && y.steps.back().text != "to(y,rz)"))
    throw cells.error("y", 0, "ends with to(y) or to(y,rz)");
  if (contract.promote > 0 ? !reads(join, "acc") : !join.empty())
    throw cells.error("join", 0, contract.promote > 0 ? "says how a promoted sum joins acc" : "must be empty: promote is none");
  check_scales(cells, contract, join, y);
}

DotContract cells_of(const ContractRow& row) {
  const RowCells cells(row);
  DotContract contract;
  contract.row = &row;
  read_promote(cells, contract);
  read_split(cells, contract);
  read_orders(cells, contract);
  contract.flushes = !cells.text("denormals").empty() && cells.is_first_of("denormals", "flush", "keep");
  contract.scales = read_gemm_scales(cells);
  contract.out = cells.formats_of_numbers("out");
  if (!cells.text("weight").empty()) contract.shuffle = read_weight_tile(cells, "weight");
  read_layouts(cells, contract);
  if (!cells.text("azp").empty()) contract.azp = cells.is_first_of("azp", "adj", "azp*adj") ? GemmAzp::kTensor : GemmAzp::kTokens;
  check_steps(cells, contract);
  contract.join = cells.steps("join");
  contract.y = cells.steps("y");
  contract.bias = cells.steps("bias");
  return contract;
}

/// What cannot be made by that unit.
void check_unit(const ContractRow& row, const DotContract& contract) {
  if (!(*contract.unit.d == kF32) && !contract.of_integers())
    throw row.error("unit", 0, "expected an instruction with f32 or int32 sums");
  if (contract.of_integers() && (contract.promote > 0 || contract.most_parts > 1))
    throw row.error("promote", 0, "integer sums allow neither promote nor split");
  if (contract.has_atomics() && (contract.adds_c() || !contract.bias.empty() || contract.of_integers()))
    throw row.error("split", 0, "atomics(P) allows no bias, no c and no integers");
  if (contract.azp != GemmAzp::kNone && !contract.of_integers()) throw row.error("azp", 0, "zero points need an integer instruction");
  const Format* const scale = contract.unit.scale;
  if ((scale != nullptr) != contract.scales_in_unit())
    throw row.error(
        "unit", 0,
        scale ? "takes scales of blocks, which then join nothing else" : "takes no scales, and those of blocks join nothing");
  if (scale && contract.scale_block() % contract.unit.scale_block != 0)
    throw row.error("unit", 0, "has scales of other parts than those of " + std::to_string(contract.scale_block()) + " products");
  if (contract.promote % contract.unit.k != 0) throw row.error("promote", 0, "is not a multiple of the instruction's k");
  if (contract.part_of % contract.unit.k != 0) throw row.error("split", 0, "is not a multiple of the instruction's k");
}

/// A row whose unit nobody knows: a member for each way in which that unit may add.
void add_candidates(const ContractRow& row, const UnitTable& units, DotContract& contract) {
  std::vector<DotContract> members;
  for (const UnitRow* candidate : units.candidates_of(*contract.unit_row)) {
    DotContract member = contract;
    member.unit_row = candidate;
    member.unit = candidate->unit;
    if (!can_be_replayed(member.unit)) throw candidate->error("sum", 0, "'" + candidate->id + "' cannot be replayed");
    check_unit(row, member);
    members.push_back(std::move(member));
  }
  if (members.empty())
    throw row.error("unit", 0, "of unit '" + contract.unit.id + "' nothing is predicted, and it has no candidates");
  contract.unit = members.front().unit;
  contract.members = std::move(members);
}

}  // namespace

std::vector<GemmScales> read_gemm_scales(const RowCells& cells) {
  std::vector<GemmScales> scales;
  for (const std::string& name : cells.alternatives("scales")) try {
      scales.push_back(gemm_scales_named(name));
    } catch (const ParseError& error) {
      throw cells.error("scales", error.position, error.what());
    }
  return scales;
}

const Flow& dot_flow() {
  static const Flow flow{
      .name = "dot",
      .kind = FlowKind::kDot,
      .says = "unit",
      .files = {"dot.csv", "dot_block.csv", "dot_packed.csv", "dot_azp.csv", "dot_amd.csv"},
      .columns = {"unit", "promote", "join", "split", "scales", "y", "bias", "out"},
      .optional = {"weight", "layouts", "azp", "k_order", "denormals"},
      .check = [](const ContractTables&, const ContractRow& row) { (void)cells_of(row); },
  };
  return flow;
}

DotContract read_dot(const ContractRow& row, const ContractTables& contracts, const UnitTable& units) {
  if (row.flow->kind == FlowKind::kDotUnknown) return read_unknown_dot(row, contracts, units);
  DotContract contract = cells_of(row);
  try {
    contract.unit_row = &units.find(row.text("unit"));
  } catch (const std::out_of_range& error) {
    throw row.error("unit", 0, error.what());
  }
  contract.unit = contract.unit_row->unit;
  if (contract.unit.known())
    check_unit(row, contract);
  else
    add_candidates(row, units, contract);
  return contract;
}

}  // namespace assay
