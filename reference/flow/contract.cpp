// Binds contract rows, and prints contracts as formulas, stage by stage.
#include "reference/flow/contract.h"

#include <algorithm>
#include <cmath>
#include <regex>

#include "reference/flow/flow.h"
#include "reference/flow/row.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/formats/catalogue.h"
#include "reference/recipe/recipe.h"

namespace assay {

const GroupQuant* Contract::group_quant() const { return std::get_if<GroupQuant>(&links.back()); }
const RowNorm* Contract::row_norm() const { return std::get_if<RowNorm>(&links.front()); }
const Gated* Contract::gated() const { return std::get_if<Gated>(&links.front()); }
const Rope* Contract::rope() const {
  for (const Link& link : links)
    if (const auto* rope = std::get_if<Rope>(&link)) return rope;
  return nullptr;
}

Link bind_link(const RowCells& cells, const Format& x) {
  const Flow& flow = *cells.row().flow;
  if (!flow.link)
    throw cells.error("id", 0,
                      "'" + cells.id() + "' is a row of " + flow.name + ", an op kind that cannot be evaluated row by row");
  return flow.link->bind(cells, x);
}

Contract bind(const ContractTables& tables, const std::string& id, const Format& x) {
  const ContractRow& row = tables.find(id);
  Contract contract{id, {}};
  for (const std::string& link : chain_of(row)) {
    const ContractRow& part = tables.find(link);
    contract.links.push_back(bind_link(RowCells(part), x));
  }
  return contract;
}

void check(const ContractTables& tables, const ContractRow& row) {
  if (row.flow->check) return row.flow->check(tables, row);
  bind(tables, row.id, kBf16);
}

// Contracts as text.

namespace {

void append(std::string& text, const char* between, const std::string& part) {
  text.append(text.empty() || part.empty() ? "" : between).append(part);
}

std::string free_steps(const Recipe& cell) {
  std::string text;
  for (const Step& step : cell.steps) {
    const bool undefined = step.beyond == BeyondInteger::kUndefined;
    if (step.is_free() || undefined)
      append(text, ", ",
             step.text + (!undefined                  ? ""
                          : step.target->is_integer() ? " is undefined for values outside the format"
                                                      : " is undefined for NaN"));
  }
  return text;
}

}  // namespace

void FormulaLines::add(const std::string& name, const std::string& text) {
  std::string line = name;
  line.resize(std::max<size_t>(line.size(), 5), ' ');
  lines.push_back(line + " = " + text);
}

std::vector<std::string> formulas(const Contract& contract) {
  FormulaLines all;
  for (const Link& link : contract.links) std::visit([&](const auto& one) { append_formulas(one, all); }, link);
  return std::move(all.lines);
}

std::string free_steps(std::initializer_list<const Recipe*> cells) {
  std::string text;
  for (const Recipe* cell : cells) append(text, "; ", free_steps(*cell));
  return text;
}

std::string justification(const Contract& contract, const RowInputs& row, const Format& x) {
  std::string text;
  for (const Link& link : contract.links)
    append(text, "; ", std::visit([&](const auto& one) { return freedom(one, row, x); }, link));
  return text.empty() ? "every rounding is pinned: one code" : text;
}

void append_formulas(const Gated& gated, FormulaLines& to) {
  to.add("h", formula(gated.h, "g") + "   (in this line g = gate, the " +
                  (gated.gate_first ? "first half, and u = up, the second half)" : "second half, and u = up, the first half)"));
  to.value = "h";
}

std::string freedom(const Gated& gated, const RowInputs&, const Format&) { return free_steps({&gated.h}); }

void append_formulas(const GroupQuant& quant, FormulaLines& to) {
  if (const auto* of_range = std::get_if<RangeScales>(&quant.scales)) {
    to.add("lo", formula(of_range->lo, to.value));
    to.add("hi", formula(of_range->hi, to.value));
    to.add("scale", formula(of_range->scale, "hi"));
    to.add("azp", formula(of_range->zero, "lo") + "   (s = scale)");
  } else if (const auto* of_amax = std::get_if<AmaxScales>(&quant.scales)) {
    to.add("amax", formula(of_amax->amax, to.value));
    to.add("scale", formula(of_amax->scale, "amax"));
  }
  if (quant.outer) to.add("g", "scale of the outer level (an input)");
  if (!quant.mult.steps.empty()) to.add("m", formula(quant.mult, "scale"));
  to.add("q", formula(quant.code, to.value) + "   (s = scale)");
  if (quant.rival.empty()) return;
  to.add("rival", formula(quant.rival, "amax") + "   (another scale)");
  to.add("error", formula(quant.error, "q") + "   (v = element; a group uses the rival if its sum of " +
                      (quant.squares ? "squared " : "") + "errors is smaller)");
}

std::string freedom(const GroupQuant& quant, const RowInputs&, const Format&) {
  if (const auto* of_range = std::get_if<RangeScales>(&quant.scales))
    return free_steps({&of_range->scale, &of_range->zero, &quant.mult, &quant.code});
  if (const auto* of_amax = std::get_if<AmaxScales>(&quant.scales))
    return free_steps({&of_amax->scale, &quant.mult, &quant.code, &quant.rival, &quant.error});
  return free_steps({&quant.mult, &quant.code});
}

void append_formulas(const Rope& rope, FormulaLines& to) {
  to.add("pairs", std::string(rope.interleaved ? "adjacent elements" : "elements that are half the rotated part apart,") +
                      (rope.first ? " at the start of a head" : " at the end of a head") +
                      "   (c, s = cosine and sine of the position)");
  to.add("even", formula(rope.even, "e") + (to.value == "x" ? "" : "   (e, o: elements of " + to.value + ")"));
  to.add("odd", formula(rope.odd, "o"));
  to.add("rest", formula(rope.rest, to.value));
}

std::string freedom(const Rope& rope, const RowInputs&, const Format&) { return free_steps({&rope.even}); }

/// The formula of z, where `res` is written as residual, and `resz` (subnormals flushed) as ftz(residual).
std::string formula_of_sum(const Recipe& z) {
  static const std::regex kFlushed("\\bresz\\b"), kAsGiven("\\bres\\b");
  return std::regex_replace(std::regex_replace(formula(z, "x"), kFlushed, "ftz(residual)"), kAsGiven, "residual");
}

void append_formulas(const RowNorm& norm, FormulaLines& to) {
  const std::string z = norm.adds() ? "z" : "x";
  if (norm.adds()) {
    to.add("z", formula_of_sum(norm.z));
    to.add("residual", formula(norm.residual, "z"));
  }
  if (norm.centers()) to.add("mu", formula(norm.mean, "sum(x)"));
  to.add("sum", std::string("sum(") + (norm.deviates() ? "(x - mu)^2" : z + "^2") +
                    (norm.sum.steps.empty() ? "" : ", each rounded to the type of x") + "), added in any tree of depth " +
                    norm.depth.text());
  to.add("r", formula(norm.r, "sum"));
  if (!norm.w.empty()) to.add("w", formula(norm.w, "gamma"));
  if (norm.gates()) to.add("h", formula(norm.gate, "g") + "   (in this line g = gate)");
  to.add("y", formula(norm.y, z) + (!norm.w.empty() ? "" : norm.centers() ? "   (w = gamma, b = beta)" : "   (w = gamma)"));
  if (norm.stored_from != RowNorm::kNoColumn)
    to.lines.push_back("        from column " + std::to_string(norm.stored_from) + " on, the stored residual replaces z");
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
  std::string text = "width of r: " + percent(tree) + " from the order of additions (depth " +
                     std::to_string(contract.depth.integer({{"n", int64_t(row.summed.size())}})) + ")";
  if (!slack_step.empty()) text += ", " + percent(slack) + " from " + slack_step;
  return text;
}

}  // namespace assay
