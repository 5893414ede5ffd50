#include "harness/probe/parameters.h"

#include "harness/probe/parameter_lists.h"

namespace assay {

std::span<const UnitParameter> unit_parameters() {
  static const std::vector<UnitParameter> all = [] {
    std::vector<UnitParameter> list = parameters_of_terms();
    for (const auto& more : {parameters_of_results(), parameters_of_sums()}) list.insert(list.end(), more.begin(), more.end());
    return list;
  }();
  return all;
}

Unit plain_unit(const Instruction& i) {
  Unit u;
  u.id = "probed";
  u.a = i.a, u.b = i.b, u.d = i.d, u.k = i.k;
  u.take = std::min(i.k, kMostTaken);
  u.scale = i.scale, u.scale_block = i.scale_block;
  u.nan = i.integers() ? 0 : code_of(*i.d, __builtin_nan(""));
  if (i.integers()) {
    u.sum = ProductSum::kExact, u.join = AccumulatorJoin::kAdded, u.rounding = ResultRounding::kWrap;
    return u;
  }
  u.fraction_bits = 24;
  u.result_bits = i.d->mantissa_bits;
  u.rounding = i.d->bits == 16 ? ResultRounding::kNearestEven : ResultRounding::kTowardZero;
  return u;
}

}  // namespace assay
