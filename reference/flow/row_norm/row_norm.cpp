#include "reference/flow/row_norm/row_norm.h"

#include <algorithm>
#include <cmath>

#include "reference/exact/sum.h"
#include "reference/flow/row_norm/deviations.h"
#include "reference/flow/row_norm/f32_tree.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

bool squares_are_exact(const Format& x) { return 2 * x.precision() <= kF32.precision(); }

std::vector<double> first_part(const std::vector<double>& x, double share) {
  return {x.begin(), x.begin() + std::ptrdiff_t(double(x.size()) * share)};
}

Environment with_n(int64_t n) {
  Environment environment;
  environment.set("n", point(round_to(kF32, double(n), Rounding::kNearestEven, Overflow::kSpecial)));
  return environment;
}

/// Of a row, or of a part of it that is taken for all.
Span mean_of(const RowNorm& contract, const std::vector<double>& x) {
  return evaluate(contract.mean, norm_sum_of_x(contract, x), with_n(int64_t(double(x.size()) * contract.mean_share)));
}

}  // namespace

Span sum_of_squares(const std::vector<double>& x, int64_t depth, const Format& x_format) {
  const SumBounds exact = exact_sum_of_squares(x);
  if (!std::isfinite(exact.low) || exact.high == 0) return point(exact.low);  // zeros have no rounding
  return tree_of_squares(exact.low, exact.high, x.size(), depth + (squares_are_exact(x_format) ? 0 : 1));
}

NormRow norm_row(const RowNorm& contract, const std::vector<double>& x, const std::vector<double>& residual,
                 const Format& x_format) {
  if (!contract.adds()) return {x, x, {}, &x_format, contract.centers() ? mean_of(contract, x) : point(0)};
  const Spans other(residual);
  Environment environment;
  environment.set("res", other);
  const auto run = [&](const Recipe& recipe, std::vector<double> from) {
    Spans row(std::move(from));
    evaluate(recipe, row, environment);
    return std::move(row.low);
  };
  NormRow row{{}, run(contract.z, x), {}, &kF32, point(0)};
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

Span norm_sum_of_x(const RowNorm& contract, const std::vector<double>& x) {
  return signed_sum(first_part(x, contract.mean_share), contract.depth.integer({{"n", int64_t(x.size())}}));
}

Span norm_sum(const RowNorm& contract, const NormRow& row) {
  const int64_t depth = contract.depth.integer({{"n", int64_t(row.summed.size())}});
  const std::vector<double> part = contract.sum_share < 1 ? first_part(row.summed, contract.sum_share) : std::vector<double>();
  const std::vector<double>& x = contract.sum_share < 1 ? part : row.summed;
  return contract.deviates ? sum_of_deviations(x, row.mu, depth) : sum_of_squares(x, depth, *row.format);
}

Span norm_factor(const RowNorm& contract, const NormRow& row, double eps) {
  Environment environment = with_n(int64_t(row.summed.size()) - contract.lost_degrees);
  environment.set("mu", row.mu);
  environment.set("eps", point(round_to(kF32, eps * contract.eps_factor, Rounding::kNearestEven, Overflow::kSpecial)));
  return evaluate(contract.r, norm_sum(contract, row), environment);
}

Spans norm_outputs(const RowNorm& contract, const Spans& x, const NormWeights& own, const NormFactors& factors) {
  Environment environment;
  environment.set("r", factors.r);
  environment.set("mu", factors.mu);
  environment.set("b", own.beta);
  const Spans& gamma = own.gamma;
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
