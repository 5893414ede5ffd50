#include "reference/recipe/narrow.h"

#include "reference/formats/catalogue.h"

namespace assay {

std::optional<Span> narrow(Span hidden, const Format& grid, const std::function<Direction(double)>& at) {
  if (std::isnan(hidden.low) || std::isnan(hidden.high)) return hidden;
  const auto value = [&](int64_t o) { return decode(grid, code_from_ordinal(grid, int32_t(o))); };
  int64_t low = ordinal_of_value(grid, hidden.low), high = ordinal_of_value(grid, hidden.high);

  // the first value that is not too low, then the last that is not too high
  int64_t last = high;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    const Direction direction = at(value(middle));
    if (direction == Direction::kBoth) return std::nullopt;
    if (direction == Direction::kUp) low = middle + 1;
    else high = middle;
  }
  if (at(value(low)) != Direction::kFits) return std::nullopt;
  const int64_t first = low;
  while (low < last) {
    const int64_t middle = low + (last - low + 1) / 2;
    if (at(value(middle)) == Direction::kFits) low = middle;
    else last = middle - 1;
  }
  return Span{value(first), value(low)};
}

std::optional<Span> narrow(const Recipe& recipe, Span hidden, double stored, const Environment& environment) {
  return narrow(hidden, kF32, [&](double v) {
    const Span result = evaluate(recipe, point(v), environment);
    if (result.high < stored) return Direction::kUp;
    if (result.low > stored) return Direction::kDown;
    return Direction::kFits;
  });
}

}  // namespace assay
