// GEMMs whose instruction is undocumented: the union of all candidate models.
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "reference/contracts/contract_rows.h"
#include "reference/flow/dot/dot_contract.h"
#include "reference/flow/dot/dot_mutants.h"
#include "reference/flow/flow.h"
#include "reference/recipe/eval.h"
#include "reference/units/unit_recordings.h"

namespace assay {
namespace {

/// Steps without a factor: a product of both becomes the other one alone.
std::vector<CellStep> without(const std::vector<CellStep>& steps, const std::string& scale) {
  const std::string other = scale == "sa" ? "sb" : "sa";
  std::vector<CellStep> left;
  for (const CellStep& step : steps) {
    std::vector<std::string> operands;
    for (size_t i = 0; i < step.arguments.size(); ++i) operands.push_back(step.argument(i) == "sa*sb" ? other : step.argument(i));
    const bool is_it = !operands.empty() && operands.front() == scale;
    if (is_it && step.word == "mul") continue;
    if (is_it)
      left.push_back(CellStep::made("add", {operands.back()}));  // fma(scale,acc)
    else
      left.push_back(operands.empty() ? step : CellStep::made(step.word, operands));
  }
  return left;
}

}  // namespace

const Flow& dot_unknown_flow() {
  static const Flow flow{
      .name = "dot_unknown",
      .says = "programs",
      .files = {"dot_unknown.csv"},
      .columns = {"programs", "scales", "out"},
      .optional = {"layouts"},
      .check =
          [](const ContractTables&, const ContractRow& row) {
            const RowCells cells(row);
            (void)read_gemm_scales(cells);
            (void)cells.formats_of_numbers("out");
          },
  };
  return flow;
}

DotContract read_unknown_dot(const ContractRow& row, const ContractTables& contracts, const UnitTable& units) {
  const RowCells cells(row);
  std::vector<DotContract> members;
  for (const std::string& id : cells.alternatives("programs")) try {
      const ContractRow& member = contracts.find(id);
      if (member.flow != &dot_flow()) throw cells.error("programs", 0, "'" + id + "' is not a GEMM contract with an instruction");
      const DotContract known = read_dot(member, contracts, units);
      if (known.unknown())
        members.insert(members.end(), known.members.begin(), known.members.end());
      else
        members.push_back(known);
    } catch (const std::out_of_range& error) {
      throw cells.error("programs", 0, error.what());
    }
  DotContract contract = members.front();
  contract.row = &row;
  contract.scales = read_gemm_scales(cells);
  contract.out = cells.formats_of_numbers("out");
  contract.bias.clear();
  contract.layouts = cells.text("layouts").empty() ? std::vector<std::string>() : cells.alternatives("layouts");
  for (const DotContract& member : members) {
    const auto refuse = [&](const std::string& why) { throw cells.error("programs", 0, member.row->id + " " + why); };
    const Unit &unit = member.unit, &first = contract.unit;
    if (!can_be_replayed(unit)) refuse("has a unit that cannot be replayed");
    if (!(*unit.a == *first.a) || !(*unit.b == *first.b) || member.shuffle.any() || member.adds_c() || member.has_atomics())
      refuse("multiplies other codes, adds c, or adds results of parts");
    for (const GemmScales& scales : contract.scales)
      if (!member.takes(scales)) refuse("takes no scales " + scales.name);
  }
  if (contract.of_blocks() == contract.layouts.empty())
    throw cells.error(contract.layouts.empty() ? "scales" : "layouts", 0, "layouts are required for block scales, and only allowed with them");
  contract.members = std::move(members);
  return contract;
}

UnknownDotRows::UnknownDotRows(const DotContract& contract, const DotInputs& inputs, const Format& y) {
  for (const DotContract& member : contract.members)
    for (const DotProgram& program : dot_programs(member, inputs.product.k))
      programs_.emplace_back(member, program, inputs, y, DotSums::kReplayed);
}

Spans UnknownDotRows::values(const DotBlock& block) const {
  Spans all = programs_.front().values(block);
  for (size_t i = 1; i < programs_.size(); ++i) {
    const Spans others = programs_[i].values(block);
    for (size_t e = 0; e < all.size(); ++e) all.set(e, either(all[e], others[e]));
  }
  return all;
}

std::vector<DotNeighbour> unknown_neighbours(const DotContract& contract) {
  std::vector<DotNeighbour> all;
  const auto add = [&](const std::string& name, auto change) {
    DotNeighbour wrong{name, contract};
    for (DotContract& member : wrong.contract.members) change(member);
    all.push_back(std::move(wrong));
  };
  dot::Edits codes(contract.members.front(), 0);
  dot::edit_codes(contract.members.front(), codes);
  for (const DotNeighbour& read : codes.all)
    add(read.name, [&](DotContract& member) { member.unit.a = read.contract.unit.a, member.unit.b = read.contract.unit.b; });
  for (const char* gain : {"101/100", "105/100"})
    add(std::string("y: gain ") + gain,
        [&](DotContract& member) { member.y.insert(member.y.end() - 1, CellStep::made("mul", {gain})); });
  for (const char* scale : {"sa", "sb"})
    add(std::string(contract.of_blocks() ? "join: " : "y: ") + scale + " is left out", [&](DotContract& member) {
      std::vector<CellStep>& steps = contract.of_blocks() ? member.join : member.y;
      steps = without(steps, scale);
    });
  return all;
}

}  // namespace assay
