#include "reference/contracts/group_shape.h"
#include "reference/contracts/row_edits.h"
#include "reference/flow/flow.h"
#include "reference/flow/group_quant/codes.h"
#include "reference/flow/quant_azp/quant_azp.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

/// The zero point lies in the middle of a row's cells: least and greatest number, scale, zero point.
Link bind_quant_azp(const RowCells& cells, const Format& x) {
  GroupQuant g;
  g.row = cells.id();
  g.q = &cells.format("q");
  g.has_zero = true;
  Names names{{}, {{"x", &x}, {"q", g.q}}, {}};
  if (!cells.text("L").empty()) names.constants["L"] = cells.text("L");
  g.lo = cells.recipe("lo", names);
  g.hi = cells.recipe("hi", names);
  names.quantities = {"lo", "hi"};
  g.scale = cells.recipe("scale", names);
  names.quantities = {"lo", "hi", "s"};
  g.zero = cells.recipe("zero", names);
  g.scale_given = g.lo.empty() && g.hi.empty() && g.scale.empty() && g.zero.empty();
  if (!g.scale_given) {
    cells.require_reduction("lo", g.lo, "least");
    cells.require_reduction("hi", g.hi, "greatest");
    cells.forbid_reduction("zero", g.zero);
    for (const auto& [column, recipe] : {std::pair{"scale", &g.scale}, {"zero", &g.zero}})
      if (recipe->start.empty()) throw cells.error(column, 0, "begins with a quantity: lo: or hi:");
    if (g.zero.steps.empty() || g.zero.steps.back().verb != Verb::kTo || !(*g.zero.steps.back().target == kInt32))
      throw cells.error("zero", 0, "ends with to(int32)");
  }
  check_groups(cells.row());
  bind_codes(cells, names, {}, g);
  return g;
}

void add_edits(RowEdits& edits) {
  if (edits.reads_constant("L")) edits.constants("L");
  for (const char* column : {"lo", "hi", "scale", "zero", "mult", "code"}) edits.cell(column);
  if (!edits.steps("lo").empty())
    edits.flow_edit("range over", "lo, hi: over half the group", [](Link& link) {
      for (Recipe* end : {&std::get<GroupQuant>(link).lo, &std::get<GroupQuant>(link).hi}) end->over = Over::kHalf;
    });
}

std::vector<std::string> inputs(const ContractRow& row) {
  if (!row.text("lo").empty()) return {};
  return {"scale", "azp"};
}

}  // namespace

const Flow& quant_azp_flow() {
  static const Flow flow{
      .name = "quant_azp",
      .kind = FlowKind::kLink,
      .says = "lo",
      .files = {"quant_azp.csv"},
      .columns = {"lo", "hi", "q", "L", "scale", "zero", "mult", "code", "group", "layouts", "pad"},
      .steps = {"lo", "hi", "scale", "zero", "mult", "code"},
      .place = ChainPlace::kLast,
      .place_words = "codes end a chain: row_norm=ID > quant_azp=ID",
      .bind = bind_quant_azp,
      .edits = add_edits,
      .inputs = inputs,
  };
  return flow;
}

}  // namespace assay
