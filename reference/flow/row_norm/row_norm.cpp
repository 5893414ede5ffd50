// Accepted intervals of norms: rms_norm and layer_norm, also with a residual or a gate.
#include "reference/flow/row_norm/row_norm.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "reference/exact/exact_sum.h"
#include "reference/flow/row_run.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {

double rounding_error(int64_t roundings) {
  const double error = double(roundings) * std::ldexp(1.0, -kF32.precision());
  return error / (1 - error);
}

Span inside_f32(double low, double high) {
  return {round_to(kF32, low, Rounding::kUp, Overflow::kSpecial), round_to(kF32, high, Rounding::kDown, Overflow::kSpecial)};
}

Span tree_of_squares(double least, double most, size_t n, int64_t roundings) {
  // Slack: 2^-49 in `relative`, far more than the rounding errors of the double arithmetic below.
  const double relative = rounding_error(roundings) + std::ldexp(1.0, 4 - std::numeric_limits<double>::digits);
  const double underflow = double(n) * std::ldexp(1.0, kF32.min_exponent() - kF32.precision());
  const double low = (least - underflow) * (1 - relative), high = (most + underflow) * (1 + relative);
  if (high > max_finite(kF32)) return {round_to(kF32, low, Rounding::kUp, Overflow::kSpecial), HUGE_VAL};
  // If no f32 value lies in the interval, the exact sum rounded to f32 is accepted.
  const Span span = inside_f32(std::fmax(low, 0.0), high);
  return span.low <= span.high ? span : point(round_to(kF32, least, Rounding::kNearestEven, Overflow::kSpecial));
}

namespace {

/// A bound for the relative error of a sum of n positive terms in double and of a few operations after it.
double double_slack(size_t n) { return double(n + 16) * std::numeric_limits<double>::epsilon(); }

double to_f32(double value) { return round_to(kF32, value, Rounding::kNearestEven, Overflow::kSpecial); }

double largest(const std::vector<double>& x) {
  double most = 0;
  for (double v : x) most = std::isnan(v) ? v : std::fmax(most, std::fabs(v));
  return most;
}

}  // namespace

Span signed_sum(const std::vector<double>& x, int64_t depth) {
  ExactSum sum;
  double magnitudes = 0, infinities = 0;
  bool all_negative = !x.empty();
  for (double v : x) {
    all_negative = all_negative && std::signbit(v);
    if (!std::isfinite(v))
      infinities += v;  // Inf and -Inf may both occur
    else
      sum.add(v), magnitudes += std::fabs(v);
  }
  if (infinities != 0) return point(infinities);
  if (magnitudes == 0) return {all_negative ? -0.0 : 0.0, 0.0};  // if all terms are -0: -0, or +0 if the sum starts from +0
  const double bound = rounding_error(depth) * magnitudes * (1 + double_slack(x.size()));
  if (magnitudes + bound > max_finite(kF32)) return any_number();  // some partial sums may be Inf and others -Inf
  const Span span = inside_f32(sum.rounded_down() - bound, sum.rounded_up() + bound);
  return span.low <= span.high ? span : point(to_f32(sum.rounded_down()));
}

Span sum_of_deviations(const std::vector<double>& x, Span mu, int64_t depth) {
  if (mu.any()) return any_number();
  const auto deviations = [&](double from) {
    double sum = 0;
    for (double v : x) sum += (v - from) * (v - from);
    return sum;
  };
  const double at_low = deviations(mu.low), at_high = deviations(mu.high);
  if (!std::isfinite(at_low) || !std::isfinite(at_high)) return point(std::isnan(at_low) ? at_low : at_high);
  // The sum is a parabola in mu: largest at an end, smallest where mu is nearest to the mean. The computed mean is off by at
  // most `off`.
  const double slack = double_slack(x.size()), off = slack * largest(x);
  double mean = 0;
  for (double v : x) mean += v / double(x.size());
  const double least = deviations(std::clamp(mean, mu.low, mu.high)) * (1 - slack) - double(x.size()) * off * off;
  const double most = std::fmax(at_low, at_high) * (1 + slack);
  if (most == 0) return point(0);
  return tree_of_squares(std::fmax(least, 0.0), most, x.size(), depth + 3);
}

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

/// The sum of squares that are rounded to `format` before they are added.
Span sum_of_rounded_squares(const std::vector<double>& x, int64_t depth, const Format& format) {
  ExactSum sum;
  double special = 0;
  for (const double v : x) {
    const double square = round_to(format, v * v, Rounding::kNearestEven, Overflow::kSpecial);
    if (std::isfinite(square))
      sum.add(square);
    else
      special += square;
  }
  if (special != 0) return point(special);  // Inf or NaN
  const double low = sum.rounded_down(), high = sum.rounded_up();
  return high == 0 ? point(0) : tree_of_squares(low, high, x.size(), depth);
}

/// Evaluates a cell that has one value for the whole row.
Span of_row(const Recipe& recipe, const char* name, Span from, const Environment& environment, RowListener* listener) {
  Spans number(std::vector<double>{0});
  number.set(0, from);
  run_cell(listener, name, recipe, number, environment, whole_row);
  return number[0];
}

/// The mean of a row; in mutants, of a part of it.
Span mean_of(const RowNorm& contract, const std::vector<double>& x, RowListener* listener) {
  return of_row(contract.mean, "mu", norm_sum_of_x(contract, x), with_n(int64_t(double(x.size()) * share(contract.mean.over))),
                listener);
}

}  // namespace

Span sum_of_squares(const std::vector<double>& x, int64_t depth, const Format& x_format) {
  const SumBounds exact = exact_sum_of_squares(x);
  if (!std::isfinite(exact.low) || exact.high == 0) return point(exact.low);  // zeros are exact
  return tree_of_squares(exact.low, exact.high, x.size(), depth + (squares_are_exact(x_format) ? 0 : 1));
}

NormRow norm_row(const RowNorm& contract, const std::vector<double>& x, const std::vector<double>& residual,
                 const Format& x_format, RowListener* listener) {
  if (!contract.adds()) return {x, x, {}, &x_format, contract.centers() ? mean_of(contract, x, listener) : point(0)};
  const Spans other(residual);
  Environment environment;
  environment.set("res", other);
  Spans flushed = other;
  for (size_t i = 0; i < residual.size(); ++i)
    if (std::abs(residual[i]) < power_of_two(kF32.min_exponent())) flushed.set(i, point(std::copysign(0.0, residual[i])));
  environment.set("resz", flushed);
  const auto run = [&](const Recipe& recipe, std::vector<double> from, const char* name) {
    Spans row(std::move(from));
    run_cell(name ? listener : nullptr, name, recipe, row, environment, each_column);
    return std::move(row.low);
  };
  if (listener) listener->quantity("res", other, each_column());
  NormRow row{{}, run(contract.z, x, "z"), {}, &kF32, point(0)};
  row.residual = run(contract.residual, row.normalized, "residual");
  const Step& last = contract.z.steps.back();
  Recipe unrounded = contract.z;
  const bool before_rounding = contract.sum.start == kUnroundedZ;
  if (last.verb == Verb::kTo && before_rounding)
    unrounded.steps.pop_back();
  else if (last.verb == Verb::kTo)
    row.format = last.target;
  row.summed = before_rounding ? run(unrounded, x, nullptr) : row.normalized;
  const size_t first = size_t(std::min<int64_t>(contract.stored_from, int64_t(x.size())));
  std::copy(row.residual.begin() + std::ptrdiff_t(first), row.residual.end(), row.normalized.begin() + std::ptrdiff_t(first));
  if (contract.residual.start == "res") row.residual = residual;
  return row;
}

namespace {

/// For each mutant that starts the sums of several lanes from 1 or -1: its name, and how much it adds to the total.
const std::map<std::string, double>& wrong_starts() {
  static const std::map<std::string, double> all = [] {
    std::map<std::string, double> starts;
    constexpr int kMostLanes = 1024;
    for (int lanes = 1; lanes <= kMostLanes; lanes *= 2)
      for (const int from : {1, -1})
        starts["starts from " + std::to_string(from) + (lanes == 1 ? "" : " in each of " + std::to_string(lanes) + " lanes")] =
            double(from) * lanes;
    return starts;
  }();
  return all;
}

/// The sum plus the amount that the wrong start adds, which is rounded as often as a term. For kSubtracted, the negative sum.
Span with_start(const std::string& start, Span sum, int64_t depth) {
  if (start == kSubtracted) return {-sum.high, -sum.low};
  const auto found = wrong_starts().find(start);
  if (found == wrong_starts().end() || !std::isfinite(sum.low) || !std::isfinite(sum.high)) return sum;
  const double added = found->second;
  const double error = rounding_error(depth + 2) * (std::max(std::abs(sum.low), std::abs(sum.high)) + std::abs(added));
  return inside_f32(sum.low + added - error, sum.high + added + error);
}

}  // namespace

std::vector<std::string> names_of_wrong_starts() {
  std::vector<std::string> names;
  for (const auto& [name, added] : wrong_starts()) names.push_back(name);
  return names;
}

namespace {

constexpr const char* kTermsAreOne = "terms divided by themselves instead of squared";

/// For each mutant that counts columns past the end: its name, and a function from n to the number of columns that it counts.
const std::map<std::string, size_t (*)(size_t n)>& counts_beyond_the_end() {
  static const std::map<std::string, size_t (*)(size_t)> all = {
      {"adds one column beyond the end, as 0", [](size_t n) { return n + 1; }},
      {"adds columns beyond the end, as 0, up to a multiple of 4", [](size_t n) { return (n + 3) / 4 * 4; }},
      {"adds columns beyond the end, as 0, up to a multiple of 8", [](size_t n) { return (n + 7) / 8 * 8; }},
  };
  return all;
}

}  // namespace

std::vector<std::string> names_of_wrong_terms(bool deviates) {
  std::vector<std::string> names = {kTermsAreOne};
  if (deviates)
    for (const auto& [name, count] : counts_beyond_the_end()) names.push_back(name);
  return names;
}

Span norm_sum_of_x(const RowNorm& contract, const std::vector<double>& x) {
  const int64_t depth = contract.depth.integer({{"n", int64_t(x.size())}});
  const std::string& start = contract.sum.start;
  const Span sum = signed_sum(first_part(x, share(contract.mean.over)), depth);
  return start.starts_with(kOfMean) ? with_start(start.substr(kOfMean.size()), sum, depth) : sum;
}

namespace {

/// A sum whose squares or partial sums are rounded, or in which elements are missing.
struct WrongSum {
  std::string name;
  const Format* inputs = nullptr;   ///< x is rounded to it first
  const Format* squares = nullptr;  ///< each square is rounded to it
  const Format* sums = nullptr;     ///< each partial sum is rounded to it, one element after another
  size_t left_out = 0;              ///< number of elements at the end of the row that are not added
  size_t whole = 1;                 ///< only the first n / whole * whole of n elements are added
  bool cut = false;                 ///< x is cut to the 11 bits of TF32
};

const std::vector<WrongSum>& all_wrong_sums() {
  static const std::vector<WrongSum> all = {
      {.name = "squares rounded to bf16", .squares = &kBf16},
      {.name = "squares rounded to f16", .squares = &kF16},
      {.name = "partial sums in bf16, one after another", .sums = &kBf16},
      {.name = "squares and partial sums in bf16, one after another", .squares = &kBf16, .sums = &kBf16},
      {.name = "partial sums in f16, one after another", .sums = &kF16},
      {.name = "squares and partial sums in f16, one after another", .squares = &kF16, .sums = &kF16},
      {.name = "of x rounded to bf16", .inputs = &kBf16},
      {.name = "of x rounded to f16", .inputs = &kF16},
      {.name = "of x truncated to TF32", .cut = true},
      {.name = "without the last column", .left_out = 1},
      {.name = "without the last n mod 32 columns", .whole = 32},
      {.name = "without the last n mod 64 columns", .whole = 64},
      {.name = "without the last n mod 128 columns", .whole = 128},
  };
  return all;
}

double in(const Format* format, double value) {
  return format == nullptr ? value : round_to(*format, value, Rounding::kNearestEven, Overflow::kSpecial);
}

/// The first 11 significand bits of a value, truncated, as in TF32.
double in_tf32(double value) {
  if (value == 0 || !std::isfinite(value)) return value;
  const double unit = std::ldexp(1.0, std::ilogb(value) - 10);
  return std::trunc(value / unit) * unit;
}

Span sum_of(const WrongSum& wrong, const std::vector<double>& all, int64_t depth, const Format& format) {
  const size_t kept = std::max(all.size(), wrong.left_out) - wrong.left_out;
  std::vector<double> x(all.begin(), all.begin() + std::ptrdiff_t(kept / wrong.whole * wrong.whole));
  for (double& v : x) v = in(wrong.inputs, wrong.cut ? in_tf32(v) : v);
  if (wrong.sums == nullptr)
    return wrong.squares != nullptr ? sum_of_rounded_squares(x, depth, *wrong.squares) : sum_of_squares(x, depth, format);
  double sum = 0;
  for (const double v : x) sum = in(wrong.sums, sum + in(wrong.squares, to_f32(v * v)));
  return point(sum);
}

}  // namespace

const std::vector<std::string>& wrong_sums() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const WrongSum& wrong : all_wrong_sums()) all.push_back(wrong.name);
    return all;
  }();
  return names;
}

Span norm_sum(const RowNorm& contract, const NormRow& row) {
  const int64_t depth = contract.depth.integer({{"n", int64_t(row.summed.size())}});
  const bool all = contract.sum.over == Over::kAll;
  const std::vector<double> part = all ? std::vector<double>() : first_part(row.summed, share(contract.sum.over));
  const std::vector<double>& x = all ? row.summed : part;
  for (const WrongSum& wrong : all_wrong_sums())
    if (wrong.name == contract.sum.start) return sum_of(wrong, x, depth, *row.format);
  if (!contract.sum.steps.empty()) return sum_of_rounded_squares(x, depth, *contract.sum.steps.front().target);
  if (contract.sum.start == kTermsAreOne) {
    const double mu = contract.deviates() ? row.mu.low : 0;
    std::vector<double> terms = x;
    for (double& term : terms) term = (term - mu) / (term - mu);
    return signed_sum(terms, depth);
  }
  const auto beyond = counts_beyond_the_end().find(contract.sum.start);
  if (beyond != counts_beyond_the_end().end()) {
    std::vector<double> longer = x;
    longer.resize(beyond->second(x.size()), 0.0);
    return sum_of_deviations(longer, row.mu, depth);
  }
  const Span mu = contract.sum.start == kMeanAdded ? Span{-row.mu.high, -row.mu.low} : row.mu;
  return with_start(contract.sum.start,
                    contract.deviates() ? sum_of_deviations(x, mu, depth) : sum_of_squares(x, depth, *row.format), depth);
}

Span norm_factor(const RowNorm& contract, const NormRow& row, double eps, RowListener* listener) {
  Environment environment = with_n(int64_t(row.summed.size()));
  environment.set("mu", row.mu);
  environment.set("eps", point(round_to(kF32, eps, Rounding::kNearestEven, Overflow::kSpecial)));
  environment.set(kTenEps, point(round_to(kF32, 10 * eps, Rounding::kNearestEven, Overflow::kSpecial)));
  environment.set(kOneLess, point(round_to(kF32, double(row.summed.size()) - 1, Rounding::kNearestEven, Overflow::kSpecial)));
  return of_row(contract.r, "r", norm_sum(contract, row), environment, listener);
}

Spans norm_outputs(const RowNorm& contract, const Spans& x, const NormWeights& own, const NormFactors& factors,
                   RowListener* listener) {
  Environment environment;
  environment.set("r", factors.r);
  environment.set("mu", factors.mu);
  environment.set("b", own.beta);
  const Spans& gamma = own.gamma;
  Spans weights, activated = own.gate;
  if (contract.gates()) {
    Environment of_gate;
    of_gate.set("g", own.gate);
    run_cell(listener, "h", contract.gate, activated, of_gate, each_column);
  }
  const bool one_more = reads(contract.y, kOnePlusW), own_weights = one_more || !contract.w.empty();
  if (own_weights) weights = gamma;
  if (one_more)
    for (double& w : weights.low) w = round_to(kF32, w + 1, Rounding::kNearestEven, Overflow::kSpecial);
  if (own_weights) run_cell(listener, "w", contract.w, weights, Environment{}, each_column);
  environment.set(one_more ? kOnePlusW : "w", own_weights ? weights : gamma);
  if (listener && !own_weights && gamma.size() > 0) listener->quantity("w", gamma, each_column());
  if (listener && own.beta.size() > 0) listener->quantity("b", own.beta, each_column());
  if (contract.gates()) environment.set("h", activated);
  Spans y = x;
  run_cell(listener, "y", contract.y, y, environment, each_column);
  return y;
}

void run(const RowNorm& link, RowRun& row) {
  row.norm = norm_row(link, row.inputs.x, row.inputs.residual, row.x, row.listener);
  row.out.r = norm_factor(link, row.norm, row.inputs.eps, row.listener);
  const auto asked = [&](const std::vector<double>& of_row) {
    const size_t count = row.asked > 0 ? std::min(row.asked, of_row.size()) : of_row.size();
    return Spans(std::vector<double>(of_row.begin(), of_row.begin() + std::ptrdiff_t(count)));
  };
  row.values =
      norm_outputs(link, asked(row.norm.normalized), {asked(row.inputs.gamma), asked(row.inputs.beta), asked(row.inputs.gate)},
                   {row.out.r, row.norm.mu}, row.listener);
  row.out.residual = Spans(std::move(row.norm.residual));
}

}  // namespace assay
