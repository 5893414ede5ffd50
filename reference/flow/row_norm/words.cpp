#include "reference/flow/words.h"

#include <cmath>

#include "reference/flow/row_norm/row_norm.h"
#include "reference/recipe/formula.h"

namespace assay {

void append_formulas(const RowNorm& norm, FormulaLines& to) {
  const std::string z = norm.adds() ? "z" : "x";
  if (norm.adds()) {
    to.add("z", formula(norm.z, "x") + "   (res = residual)");
    to.add("residual", formula(norm.residual, "z"));
  }
  if (norm.centers()) to.add("mu", formula(norm.mean, "sum(x)"));
  to.add("sum",
         std::string("sum(") + (norm.deviates() ? "(x - mu)^2" : z + "^2") +
             (norm.sum.steps.empty() ? "" : ", each rounded to the type of x") + "), any order within a tree of depth " +
             norm.depth.text());
  to.add("r", formula(norm.r, "sum"));
  if (!norm.w.empty()) to.add("w", formula(norm.w, "gamma"));
  if (norm.gates()) to.add("h", formula(norm.gate, "g") + "   (g = gate)");
  to.add("y", formula(norm.y, z) + (!norm.w.empty() ? "" : norm.centers() ? "   (w = gamma, b = beta)" : "   (w = gamma)"));
  if (norm.stored_from != RowNorm::kNoColumn)
    to.lines.push_back("        from column " + std::to_string(norm.stored_from) + " on with the residual in place of z");
  to.value = "y";
}

std::string freedom(const RowNorm& norm, const RowInputs& row, const Format& x) {
  return norm_reason(norm, norm_row(norm, row.x, row.residual, x), row.eps);
}

std::string norm_reason(const RowNorm& contract, const NormRow& row, double eps) {
  const auto width = [&](const RowNorm& c) {
    const Span r = norm_factor(c, row, eps);
    return r.high - r.low;
  };
  RowNorm no_tree = contract, no_slack = contract;
  no_tree.depth = Expression("0");
  std::string slack_step;
  for (Step& step : no_slack.r.steps) {
    if (step.slack_ulps > 0) slack_step += (slack_step.empty() ? "" : "+") + step.text;
    step.slack_ulps = 0;
  }
  const double all = width(contract);
  if (!(all > 0) || std::isinf(all)) return "r pinned";
  const double tree = all - width(no_tree), slack = all - width(no_slack);
  const double parts = tree + slack > 0 ? tree + slack : 1;
  const auto percent = [&](double part) { return std::to_string(int(std::lround(100 * part / parts))) + " %"; };
  std::string text = "width of r: tree of depth " + std::to_string(contract.depth.integer({{"n", int64_t(row.summed.size())}})) +
                     " " + percent(tree);
  if (!slack_step.empty()) text += ", " + slack_step + " " + percent(slack);
  return text;
}

}  // namespace assay
