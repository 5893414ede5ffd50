#include "reference/recipe/fused.h"

#include <cmath>
#include <utility>

#include "reference/recipe/elementary.h"

namespace assay {
namespace {

/// fused() for finite numbers. A product of two f32 numbers is exact in f64, and rounding is monotone, so each end of the result
/// is one fma of the outermost product.
Span fused_finite(Span a, Span b, Span c) {
  std::pair<double, double> least{a.low, b.low}, most = least;
  for (const auto& corner : {std::pair{a.low, b.high}, std::pair{a.high, b.low}, std::pair{a.high, b.high}}) {
    const double product = corner.first * corner.second;
    if (product < least.first * least.second) least = corner;
    if (product > most.first * most.second) most = corner;
  }
  return {std::fma(float(least.first), float(least.second), float(c.low)),
          std::fma(float(most.first), float(most.second), float(c.high))};
}

}  // namespace

Span either(Span a, Span b) {
  if (a.any() || b.any() || std::isnan(a.low) != std::isnan(b.low)) return any_number();
  return std::isnan(a.low) ? a : hull(a, b);
}

Span fused(Span a, Span b, Span c) {
  const auto finite = [](Span span) { return std::isfinite(span.low) && std::isfinite(span.high); };
  if (finite(a) && finite(b) && finite(c)) {
    const Span result = fused_finite(a, b, c);
    if (result.low != 0 && result.high != 0) return result;  // the corners below determine the sign of a zero
  }
  if (a.any() || b.any() || c.any()) return any_number();
  const auto reaches_infinity = [](Span span) { return std::isinf(span.low) || std::isinf(span.high); };
  const auto holds_zero = [](Span span) { return span.low <= 0 && span.high >= 0 && !span.pinned(); };
  if ((reaches_infinity(a) && holds_zero(b)) || (reaches_infinity(b) && holds_zero(a))) return any_number();
  Span result = point(0);
  for (int corner = 0; corner < 8; ++corner) {
    const auto at = [&](Span span, int bit) { return float(corner & bit ? span.high : span.low); };
    const Span value = point(std::fma(at(a, 1), at(b, 2), at(c, 4)));  // f32: one rounding, IEEE 754-2019, 5.4.1
    result = corner == 0 ? value : either(result, value);
  }
  return result;
}

}  // namespace assay
