#include "reference/contracts/scale_spec.h"
#include "reference/flow/group_quant/codes.h"

namespace assay {

void bind_codes(const RowCells& cells, Names& names, const std::vector<std::string>& sources, GroupQuant& g) {
  names.quantities = sources;
  if (g.outer) names.quantities.emplace_back("g");
  g.mult = cells.recipe("mult", names);
  names.quantities = {"s", "m"};
  if (g.has_zero()) names.quantities.emplace_back("azp");
  if (g.outer) names.quantities.emplace_back("g");
  g.code = cells.recipe("code", names);
  for (const auto& [column, recipe] : {std::pair{"mult", &g.mult}, {"code", &g.code}}) cells.forbid_reduction(column, *recipe);
  if (g.code.steps.empty() || g.code.steps.back().verb != Verb::kTo || !(*g.code.steps.back().target == *g.q))
    throw cells.error("code", 0, "ends with to(q)");
}

GroupQuant bind_group_quant(const RowCells& cells, const Format& x) {
  GroupQuant g;
  g.row = cells.id();
  g.q = &cells.format("q");
  Names names{{{"M", cells.text("M")}}, {{"x", &x}, {"q", g.q}}, {}};
  AmaxScales of_amax;
  of_amax.amax = cells.recipe("amax", names);
  g.outer = has_outer_scales(cells.row());
  names.quantities = {"ub"};
  if (g.outer) names.quantities.emplace_back("g");
  of_amax.scale = cells.recipe("scale", names);
  if (of_amax.amax.empty() && of_amax.scale.empty()) {
    g.scales = GivenScales{.with_zero = false};
  } else {
    cells.require_reduction("amax", of_amax.amax, "absmax, absmax(keep) or absmax(all)");
    cells.forbid_reduction("scale", of_amax.scale);
    g.scales = std::move(of_amax);
  }
  check_groups(cells.row());
  bind_codes(cells, names, {"amax"}, g);
  const auto* made = std::get_if<AmaxScales>(&g.scales);
  if (g.outer && !(made && reads(made->scale, "g")) && !reads(g.mult, "g") && !reads(g.code, "g"))
    throw cells.error("group", 0, "has two levels, and no step reads g, the scale of the outer one");
  return g;
}

}  // namespace assay
