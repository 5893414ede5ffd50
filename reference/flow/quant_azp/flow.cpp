#include "reference/contracts/scale_spec.h"
#include "reference/contracts/row_edits.h"
#include "reference/flow/flow.h"
#include "reference/flow/group_quant/codes.h"
#include "reference/flow/quant_azp/quant_azp.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

void check(const RowCells& cells, const RangeScales& of_range) {
  cells.require_reduction("lo", of_range.lo, "least");
  cells.require_reduction("hi", of_range.hi, "greatest");
  for (const auto& [column, recipe] : {std::pair{"scale", &of_range.scale}, {"zero", &of_range.zero}}) {
    cells.forbid_reduction(column, *recipe);
    if (recipe->start.empty()) throw cells.error(column, 0, "begins with a quantity: lo: or hi:");
  }
  const std::vector<Step>& zero = of_range.zero.steps;
  if (zero.empty() || zero.back().verb != Verb::kTo || !(*zero.back().target == kInt32))
    throw cells.error("zero", 0, "ends with to(int32)");
}

/// The zero point lies in the middle of a row's cells: least and greatest number, scale, zero point.
Link bind_quant_azp(const RowCells& cells, const Format& x) {
  GroupQuant g;
  g.row = cells.id();
  g.q = &cells.format("q");
  Names names{{}, {{"x", &x}, {"q", g.q}}, {}};
  if (!cells.text("L").empty()) names.constants["L"] = cells.text("L");
  RangeScales of_range;
  of_range.lo = cells.recipe("lo", names);
  of_range.hi = cells.recipe("hi", names);
  names.quantities = {"lo", "hi"};
  of_range.scale = cells.recipe("scale", names);
  names.quantities = {"lo", "hi", "s"};
  of_range.zero = cells.recipe("zero", names);
  if (of_range.lo.empty() && of_range.hi.empty() && of_range.scale.empty() && of_range.zero.empty()) {
    g.scales = GivenScales{.with_zero = true};
  } else {
    check(cells, of_range);
    g.scales = std::move(of_range);
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
      auto& of_range = std::get<RangeScales>(std::get<GroupQuant>(link).scales);
      of_range.lo.over = of_range.hi.over = Over::kHalf;
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
