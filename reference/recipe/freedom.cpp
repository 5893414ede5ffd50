#include "reference/recipe/freedom.h"

#include <algorithm>
#include <cmath>

#include "reference/formats/round.h"
#include "reference/recipe/lanes.h"

namespace assay {
namespace {

/// Widens by the slack of the largest argument. Beyond kFurthest every function here has reached Inf or zero.
Span widened_by_argument(const Step& step, Span argument, Span result) {
  constexpr double kFurthest = 1024;
  const double largest = std::min(std::fmax(std::fabs(argument.low), std::fabs(argument.high)), kFurthest);
  const double steps = step.slack_ulps + std::floor(step.slack_per_unit * largest);
  lanes().widen_spans(grid_of(*step.working, Overflow::kSpecial), steps, &result.low, &result.high, 1);
  return result;
}

/// Grid numbers within a relative distance of the exact result, which is at most half a step from its rounded value. A zero stays
/// zero; only an infinite argument has an exact result.
Span widened_by_part(const Step& step, Span argument, Span result) {
  const Format& grid = *step.working;
  const double part = step.slack_relative;
  if (std::isinf(argument.low) && argument.pinned()) return result;
  if (result.low != 0) {
    const double exact = (result.low + next_down(grid, result.low)) / 2;
    result.low = round_to(grid, exact * (exact > 0 ? 1 - part : 1 + part), Rounding::kUp, Overflow::kSpecial);
  }
  if (result.high != 0) {
    const double exact = (result.high + next_up(grid, result.high)) / 2;
    result.high = round_to(grid, exact * (exact > 0 ? 1 + part : 1 - part), Rounding::kDown, Overflow::kSpecial);
  }
  return result;
}

/// __fdividef(x, y) multiplies x by an approximate 1 / y that is zero for 2^126 < |y| < 2^128 (CUDA Programming Guide, Intrinsic
/// Functions). Where it is a plain division (HIP), the quotient itself results.
Span with_zero_beyond(Span divisor, Span quotient) {
  constexpr double kLargestDivisor = 0x1p126;
  if (std::fmax(std::fabs(divisor.low), std::fabs(divisor.high)) <= kLargestDivisor) return quotient;
  if (quotient.low > 0) quotient.low = 0;
  if (quotient.high < 0) quotient.high = -0.0;
  return quotient;
}

}  // namespace

void widen(const Step& step, const RowPart& part) {
  lanes().widen_spans(grid_of(*step.working, Overflow::kSpecial), step.slack_ulps, part.low, part.high, part.size);
}

void widen_by_arguments(const Step& step, const Spans& arguments, const RowPart& part) {
  if (step.slack_ulps > 0 && step.slack_per_unit == 0) widen(step, part);
  for (size_t i = 0; i < part.size; ++i) {
    Span result = part[i];
    if (result.any() || std::isnan(result.low)) continue;
    if (step.slack_per_unit > 0) result = widened_by_argument(step, arguments[i], result);
    if (step.slack_relative > 0) result = widened_by_part(step, arguments[i], result);
    if (step.fast) result = with_zero_beyond(arguments[i], result);
    part.set(i, result);
  }
}

}  // namespace assay
