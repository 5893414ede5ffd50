#include "reference/flow/row_norm/bind.h"

#include <stdexcept>

namespace assay {
namespace {

Expression depth_of(const RowCells& cells) {
  try {
    Expression depth(cells.text("depth"));
    for (const std::string& name : depth.names())
      if (name != "n") throw ParseError(0, "unknown name '" + name + "'; known here: n");
    for (const int64_t n : {1, 7168, 1 << 20})
      if (depth.integer({{"n", n}}) < 0) throw ParseError(0, "a depth must not be negative");
    return depth;
  } catch (const ParseError& error) {
    throw cells.error("depth", error.position, error.what());
  } catch (const std::domain_error& error) {
    throw cells.error("depth", 0, error.what());
  }
}

}  // namespace

Link bind_row_norm(const RowCells& cells, const Format& x) {
  RowNorm n;
  n.row = cells.id();
  Names names{{}, {{"x", &x}}, {}};
  n.mean = cells.recipe("mean", {{}, {{"x", &x}}, {"n"}});
  n.sum = cells.recipe("sum", names);
  if (n.deviates() && !n.centers()) throw cells.error("sum", 0, "deviations need the column mean");
  if (n.sum.text() != (n.deviates() ? "deviations" : "squares") && n.sum.text() != "squares to(x)")
    throw cells.error("sum", 0,
                      n.deviates() || n.sum.reduction == Reduction::kSquares ? "is squares or deviations alone, or squares to(x)"
                                                                             : "begins with squares or deviations");
  n.residual = cells.recipe("residual", names);
  n.w = cells.recipe("w", names);
  n.gate = cells.recipe("gate", {{}, {{"x", &x}}, {"g"}});
  names.quantities = {"res", "resz"};
  n.z = cells.recipe("z", names);
  if (n.z.empty() != n.residual.empty())
    throw cells.error(n.z.empty() ? "z" : "residual", 0, "z and residual need each other");
  for (const auto& [column, recipe] : {std::pair{"z", &n.z}, {"residual", &n.residual}})
    for (const Step& step : recipe->steps)
      if (step.is_free()) throw cells.error(column, 0, "'" + step.text + "' has an interval of results; what is summed must be one number");
  if (!cells.text("stored_from").empty()) n.stored_from = cells.column_number("stored_from");
  if (n.stored_from != RowNorm::kNoColumn && n.residual.empty()) throw cells.error("stored_from", 0, "needs the column residual");
  names.quantities = {"n", "eps"};
  if (n.centers()) names.quantities.emplace_back("mu");
  n.r = cells.recipe("r", names);
  names.quantities = {"r", "w"};
  if (n.centers()) names.quantities.insert(names.quantities.end(), {"mu", "b"});
  if (n.gates()) names.quantities.emplace_back("h");
  n.y = cells.recipe("y", names);
  if (n.centers() && n.adds()) throw cells.error("z", 0, "a residual is not supported together with a mean");
  if (n.centers() && n.gates()) throw cells.error("gate", 0, "a gate is not supported together with a mean");
  for (const auto& [column, recipe] : {std::pair{"z", &n.z},
                                       {"residual", &n.residual},
                                       {"mean", &n.mean},
                                       {"r", &n.r},
                                       {"w", &n.w},
                                       {"gate", &n.gate},
                                       {"y", &n.y}})
    cells.forbid_reduction(column, *recipe);
  n.depth = depth_of(cells);
  return n;
}

}  // namespace assay
