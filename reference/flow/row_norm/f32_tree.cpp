#include "reference/flow/row_norm/f32_tree.h"

#include <cmath>
#include <limits>

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
  // Widened by far more than the roundings of these lines in double.
  const double relative = rounding_error(roundings) + std::ldexp(1.0, 4 - std::numeric_limits<double>::digits);
  const double underflow = double(n) * std::ldexp(1.0, kF32.min_exponent() - kF32.precision());
  const double low = (least - underflow) * (1 - relative), high = (most + underflow) * (1 + relative);
  if (high > max_finite(kF32)) return {round_to(kF32, low, Rounding::kUp, Overflow::kSpecial), HUGE_VAL};
  // A sum that is a number of f32 stays reachable however thin the interval is.
  const Span span = inside_f32(std::fmax(low, 0.0), high);
  return span.low <= span.high ? span : point(round_to(kF32, least, Rounding::kNearestEven, Overflow::kSpecial));
}

}  // namespace assay
