#include "reference/flow/row_norm.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/exact/sum.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

/// Numbers of the f32 grid inside a real interval: a kernel's sum is one of them.
Span inside_f32(double low, double high) {
  return {round_to(kF32, low, Rounding::kUp, Overflow::kSpecial), round_to(kF32, high, Rounding::kDown, Overflow::kSpecial)};
}

bool squares_are_exact(const Format& x) { return 2 * x.precision() <= kF32.precision(); }

}  // namespace

Span sum_of_squares(const std::vector<double>& x, int64_t depth, const Format& x_format) {
  const SumBounds exact = exact_sum_of_squares(x);
  if (!std::isfinite(exact.low) || exact.high == 0) return point(exact.low);  // zeros have no rounding
  const double unit = std::ldexp(1.0, -kF32.precision());
  const double roundings = double(depth + (squares_are_exact(x_format) ? 0 : 1));
  // Widened by far more than the roundings of these lines in double.
  const double relative = roundings * unit / (1 - roundings * unit) + std::ldexp(1.0, 4 - std::numeric_limits<double>::digits);
  const double underflow = double(x.size()) * std::ldexp(1.0, kF32.min_exponent() - kF32.precision());
  const double low = (exact.low - underflow) * (1 - relative), high = (exact.high + underflow) * (1 + relative);
  if (high > max_finite(kF32)) return {round_to(kF32, low, Rounding::kUp, Overflow::kSpecial), HUGE_VAL};
  // A sum that is a number of f32 stays reachable however thin the interval is.
  const Span span = inside_f32(std::fmax(low, 0.0), high);
  return span.low <= span.high ? span : point(round_to(kF32, exact.low, Rounding::kNearestEven, Overflow::kSpecial));
}

NormRow norm_row(const RowNorm& contract, const std::vector<double>& x, const std::vector<double>& residual,
                 const Format& x_format) {
  if (!contract.adds()) return {x, x, {}, &x_format};
  const Spans other(residual);
  Environment environment;
  environment.set("res", other);
  const auto run = [&](const Recipe& recipe, std::vector<double> from) {
    Spans row(std::move(from));
    evaluate(recipe, row, environment);
    return std::move(row.low);
  };
  NormRow row{{}, run(contract.z, x), {}, &kF32};
  row.residual = run(contract.residual, row.normalized);
  const Step& last = contract.z.steps.back();
  Recipe unrounded = contract.z;
  if (last.verb == Verb::kTo && contract.sum_before_rounding)
    unrounded.steps.pop_back();
  else if (last.verb == Verb::kTo)
    row.format = last.target;
  row.summed = contract.sum_before_rounding ? run(unrounded, x) : row.normalized;
  const size_t first = size_t(std::min<int64_t>(contract.stored_from, int64_t(x.size())));
  std::copy(row.residual.begin() + std::ptrdiff_t(first), row.residual.end(), row.normalized.begin() + std::ptrdiff_t(first));
  if (contract.residual_as_it_was) row.residual = residual;
  return row;
}

Span norm_factor(const RowNorm& contract, const NormRow& row, double eps) {
  const std::vector<double>& x = row.summed;
  const auto n = int64_t(x.size());
  std::vector<double> part;
  if (contract.sum_share < 1) part.assign(x.begin(), x.begin() + std::ptrdiff_t(double(x.size()) * contract.sum_share));
  const Span sum = sum_of_squares(contract.sum_share < 1 ? part : x, contract.depth.integer({{"n", n}}), *row.format);
  Environment environment;
  environment.set("n", point(round_to(kF32, double(n), Rounding::kNearestEven, Overflow::kSpecial)));
  environment.set("eps", point(round_to(kF32, eps * contract.eps_factor, Rounding::kNearestEven, Overflow::kSpecial)));
  return evaluate(contract.r, sum, environment);
}

Spans norm_outputs(const RowNorm& contract, const Spans& x, const Spans& gamma, Span r) {
  Environment environment;
  environment.set("r", r);
  Spans weights;
  const bool own_weights = contract.weight_offset != 0 || !contract.w.empty();
  if (own_weights) {
    weights = gamma;
    for (double& w : weights.low) w = round_to(kF32, w + contract.weight_offset, Rounding::kNearestEven, Overflow::kSpecial);
    evaluate(contract.w, weights, Environment{});
  }
  const Spans& row = own_weights ? static_cast<const Spans&>(weights) : gamma;
  environment.set("w", row);
  Spans y = x;
  evaluate(contract.y, y, environment);
  return y;
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
