#include "reference/flow/row_norm/deviations.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/exact/sum.h"
#include "reference/flow/row_norm/f32_tree.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

/// More than what sums of n positive doubles lose, and the few operations around them.
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
      infinities += v;  // Inf and -Inf meet somewhere
    else
      sum.add(v), magnitudes += std::fabs(v);
  }
  if (infinities != 0) return point(infinities);
  if (magnitudes == 0) return {all_negative ? -0.0 : 0.0, 0.0};  // a sum of nothing but -0 is -0, unless it begins with 0
  const double bound = rounding_error(depth) * magnitudes * (1 + double_slack(x.size()));
  if (magnitudes + bound > max_finite(kF32)) return any_number();  // one partial sum may be Inf, and another -Inf
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
  // A parabola of mu: greatest at an end, least where mu is nearest to the mean, of which double knows all but `off`.
  const double slack = double_slack(x.size()), off = slack * largest(x);
  double mean = 0;
  for (double v : x) mean += v / double(x.size());
  const double least = deviations(std::clamp(mean, mu.low, mu.high)) * (1 - slack) - double(x.size()) * off * off;
  const double most = std::fmax(at_low, at_high) * (1 + slack);
  if (most == 0) return point(0);
  return tree_of_squares(std::fmax(least, 0.0), most, x.size(), depth + 3);
}

}  // namespace assay
