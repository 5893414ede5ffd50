#include "suites/rows/words.h"

#include <fmt/format.h>

#include <cstdio>

#include "reference/flow/gated/gated.h"
#include "reference/flow/group_quant/group_quant.h"
#include "reference/flow/quant_azp/quant_azp.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/formats/catalogue.h"
#include "reference/recipe/formula.h"
#include "reference/recipe/trace.h"
#include "suites/rows/inputs.h"
#include "suites/rulebook.h"

namespace assay {

std::string in_words(Span span) {
  char text[96];
  if (span.any()) return "anything, NaN included";
  if (span.pinned())
    std::snprintf(text, sizeof text, "%.9g  (%a)", span.low, span.low);
  else
    std::snprintf(text, sizeof text, "%.9g .. %.9g  (%a .. %a)", span.low, span.high, span.low, span.high);
  return text;
}

void append_cell(std::vector<std::string>& lines, const std::string& cell, const Recipe& recipe, Span value,
                 const Environment& environment) {
  lines.push_back("  " + cell + ": from " + in_words(value));
  for (const TracedStep& step : trace(recipe, value, environment)) {
    std::string text = step.text;
    text.resize(std::max<size_t>(text.size(), 22), ' ');
    lines.push_back("    " + text + " " + in_words(step.result));
  }
}

namespace {

/// The cells of a row of quant_azp for the element at `column`.
void append_azp(std::vector<std::string>& lines, const GroupQuant& quant, const Spans& values, const RowInputs& inputs,
                size_t column) {
  const auto g = column / size_t(inputs.group_size);
  const GroupScales scales = zero_point_scales(quant, values, inputs, nullptr);
  Environment known;
  known.set("s", scales.s[g]);
  if (quant.scale_given) {
    lines.push_back("  scale given to group " + std::to_string(g) + ": " + in_words(scales.s[g]));
    lines.push_back("  azp given to group " + std::to_string(g) + ": " + in_words(scales.azp[g]));
  } else {
    known.set("lo", scales.lo[g]);
    known.set("hi", scales.hi[g]);
    lines.push_back("  lo of group " + std::to_string(g) + ": " + in_words(scales.lo[g]));
    lines.push_back("  hi of group " + std::to_string(g) + ": " + in_words(scales.hi[g]));
    append_cell(lines, "scale", quant.scale, quant.scale.start == "lo" ? scales.lo[g] : scales.hi[g], known);
    append_cell(lines, "azp", quant.zero, quant.zero.start == "lo" ? scales.lo[g] : scales.hi[g], known);
  }
  append_cell(lines, "m", quant.mult, scales.s[g], {});
  known.set("m", scales.m[g]);
  known.set("azp", scales.azp[g]);
  append_cell(lines, "q", quant.code, values[column], known);
}

}  // namespace

std::vector<std::string> formulas(const Contract& contract) {
  std::vector<std::string> lines;
  std::string value = "x";
  for (const Link& link : contract.links) {
    if (const auto* norm = std::get_if<RowNorm>(&link)) {
      const std::string z = norm->adds() ? "z" : "x";
      if (norm->adds()) {
        lines.push_back("z     = " + formula(norm->z, "x") + "   (res = residual)");
        lines.push_back("residual = " + formula(norm->residual, "z"));
      }
      if (norm->centers()) lines.push_back("mu    = " + formula(norm->mean, "sum(x)"));
      lines.push_back(std::string("sum   = sum(") + (norm->deviates ? "(x - mu)" : z) + "^2), any order within a tree of depth " +
                      norm->depth.text());
      lines.push_back("r     = " + formula(norm->r, "sum"));
      if (!norm->w.empty()) lines.push_back("w     = " + formula(norm->w, "gamma"));
      lines.push_back("y     = " + formula(norm->y, z) +
                      (!norm->w.empty()  ? ""
                       : norm->centers() ? "   (w = gamma, b = beta)"
                                         : "   (w = gamma)"));
      if (norm->stored_from != RowNorm::kNoColumn)
        lines.push_back("        from column " + std::to_string(norm->stored_from) + " on with the residual in place of z");
      value = "y";
    } else if (const auto* gated = std::get_if<Gated>(&link)) {
      lines.push_back("h     = " + formula(gated->h, "g") + "   (g = gate, u = up: " +
                      (gated->gate_first ? "the first half, the second)" : "the second half, the first)"));
      value = "h";
    } else if (const auto* rope = std::get_if<Rope>(&link)) {
      lines.push_back(std::string("pairs = ") + (rope->interleaved ? "neighbours" : "numbers half of the rotated ones apart") +
                      (rope->first ? " at the beginning of a head" : " at the end of a head") +
                      "   (c, s = cosine and sine of the position)");
      lines.push_back("even  = " + formula(rope->even, "e") + (value == "x" ? "" : "   (e, o of " + value + ")"));
      lines.push_back("odd   = " + formula(rope->odd, "o"));
      lines.push_back("rest  = " + formula(rope->rest, value));
    } else {
      const GroupQuant& quant = std::get<GroupQuant>(link);
      if (!quant.scale_given && quant.has_zero) {
        lines.push_back("lo    = " + formula(quant.lo, value));
        lines.push_back("hi    = " + formula(quant.hi, value));
        lines.push_back("scale = " + formula(quant.scale, "hi"));
        lines.push_back("azp   = " + formula(quant.zero, "lo") + "   (s = scale)");
      } else if (!quant.scale_given) {
        lines.push_back("amax  = " + formula(quant.amax, value));
        lines.push_back("scale = " + formula(quant.scale, "amax"));
      }
      if (!quant.mult.steps.empty()) lines.push_back("m     = " + formula(quant.mult, "scale"));
      lines.push_back("q     = " + formula(quant.code, value) + "   (s = scale)");
    }
  }
  return lines;
}

Spans append_norm(std::vector<std::string>& lines, const RowNorm& norm, const RowInputs& inputs, const Format& x, size_t column) {
  const NormRow row = norm_row(norm, inputs.x, inputs.residual, x);
  Environment known;
  if (norm.adds()) {
    known.set("res", point(inputs.residual[column]));
    append_cell(lines, "z", norm.z, point(inputs.x[column]), known);
    append_cell(lines, "residual", norm.residual, point(row.normalized[column]), known);
  }
  known.set("n", point(double(inputs.x.size())));
  known.set("eps", point(round_to(kF32, inputs.eps, Rounding::kNearestEven, Overflow::kSpecial)));
  if (norm.centers()) {
    append_cell(lines, "mu", norm.mean, norm_sum_of_x(norm, inputs.x), known);
    known.set("mu", row.mu);
    known.set("b", point(inputs.beta[column]));
  }
  append_cell(lines, "r", norm.r, norm_sum(norm, row), known);
  const Span r = norm_factor(norm, row, inputs.eps);
  known.set("r", r);
  if (!inputs.gamma.empty()) {
    const Span gamma = point(inputs.gamma[column]), w = norm.w.empty() ? gamma : evaluate(norm.w, gamma, {});
    if (norm.w.empty())
      lines.push_back("  w: " + in_words(gamma));
    else
      append_cell(lines, "w", norm.w, gamma, {});
    known.set("w", w);
  }
  append_cell(lines, "y", norm.y, point(row.normalized[column]), known);
  return norm_outputs(norm, Spans(row.normalized), {Spans(inputs.gamma), Spans(inputs.beta)}, {r, row.mu});
}

std::vector<std::string> trace_element(const RowCase& c, const Problem& problem, int64_t row, int64_t column) {
  // x may have more than the result: two halves, or room for rows that nobody has.
  if (row >= c.m || column >= c.n)
    return {fmt::format("element [{}, {}] is none of the result's [{}, {}]", row, column, c.m, c.n)};
  const Contract contract = bind(rulebook().contracts, c.contract, *c.x);
  const RowInputs inputs = CaseInputs(contract, c, problem).of_row(row);
  const std::vector<double>& x = inputs.x;
  std::vector<std::string> lines = {"element [" + std::to_string(row) + ", " + std::to_string(column) + "]"};
  Spans values(x);
  for (const Link& link : contract.links) {
    if (const auto* norm = std::get_if<RowNorm>(&link)) {
      values = append_norm(lines, *norm, inputs, *c.x, size_t(column));
    } else if (const auto* gated = std::get_if<Gated>(&link)) {
      const auto [gate, up] = gate_and_up(*gated, x, size_t(column));
      Environment environment;
      environment.set("g", point(gate));
      environment.set("u", point(up));
      lines.push_back("  u: " + in_words(point(up)));
      append_cell(lines, "h", gated->h, point(gate), environment);
      values = gated_values(*gated, x);
    } else {
      const GroupQuant& quant = std::get<GroupQuant>(link);
      const auto g = size_t(column / c.group_size);
      if (quant.has_zero) {
        append_azp(lines, quant, values, inputs, size_t(column));
        continue;
      }
      const Spans sources = group_sources(quant, values, inputs);
      const GroupScales scales = group_scales(quant, sources, c.scale_ub, {});
      Environment bounds;
      bounds.set("ub", point(c.scale_ub));
      append_cell(lines, (quant.scale_given ? "scale given to group " : "amax of group ") + std::to_string(g), quant.amax,
                  sources[g], {});
      if (!quant.scale_given) append_cell(lines, "scale", quant.scale, scales.amax[g], bounds);
      if (!quant.mult.steps.empty())
        append_cell(lines, "m", quant.mult, quant.mult.start.empty() ? scales.s[g] : scales.amax[g], {});
      Environment environment;
      environment.set("s", scales.s[g]);
      environment.set("m", scales.m[g]);
      append_cell(lines, "q", quant.code, values[size_t(column)], environment);
    }
  }
  return lines;
}

}  // namespace assay
