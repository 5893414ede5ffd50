#include "reference/dot/accumulator_model.h"

namespace assay {

std::optional<AccumulatorModel> accumulator_model(const Unit& unit, int64_t chunk) {
  if (!unit.known() || unit.sum != ProductSum::kAligned || unit.join != AccumulatorJoin::kAligned || unit.group > 1)
    return std::nullopt;
  return AccumulatorModel{.products_per_step = unit.take,
                          .fraction_bits = unit.fraction_bits,
                          .result_bits = unit.result_bits,
                          .result_to_nearest = unit.rounding == ResultRounding::kNearestEven,
                          .chunk = chunk,
                          .scales_inside = unit.scale != nullptr};
}

}  // namespace assay
