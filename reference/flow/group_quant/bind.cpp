#include "reference/contracts/group_shape.h"
#include "reference/flow/group_quant/codes.h"

namespace assay {

void bind_codes(const RowCells& cells, Names& names, const std::vector<std::string>& sources, GroupQuant& g) {
  names.quantities = sources;
  g.mult = cells.recipe("mult", names);
  names.quantities = {"s", "m"};
  if (g.has_zero) names.quantities.emplace_back("azp");
  g.code = cells.recipe("code", names);
  for (const auto& [column, recipe] : {std::pair{"scale", &g.scale}, {"mult", &g.mult}, {"code", &g.code}})
    cells.forbid_reduction(column, *recipe);
  if (g.code.steps.empty() || g.code.steps.back().verb != Verb::kTo || !(*g.code.steps.back().target == *g.q))
    throw cells.error("code", 0, "ends with to(q)");
}

GroupQuant bind_group_quant(const RowCells& cells, const Format& x) {
  GroupQuant g;
  g.row = cells.id();
  g.q = &cells.format("q");
  Names names{{{"M", cells.text("M")}}, {{"x", &x}, {"q", g.q}}, {}};
  g.amax = cells.recipe("amax", names);
  names.quantities = {"ub"};
  g.scale = cells.recipe("scale", names);
  g.scale_given = g.amax.empty() && g.scale.empty();
  if (!g.scale_given) cells.require_reduction("amax", g.amax, "absmax, absmax(keep) or absmax(all)");
  check_groups(cells.row());
  bind_codes(cells, names, {"amax"}, g);
  return g;
}

}  // namespace assay
