#include "reference/units/plan.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "reference/formats/catalogue.h"

namespace assay {

extern const UnitLoops kUnitLoops_scalar;
#if defined(__x86_64__)
extern const UnitLoops kUnitLoops_avx2;
extern const UnitLoops kUnitLoops_avx512;
extern const UnitLoops kUnitLoops_avx512vnni;
#endif

namespace {

/// Whether narrow_block.h supports the unit: factors with few bits, c as one of the terms, and a truncated result that fits in a
/// float.
bool is_narrow(const Unit& u) {
  const bool terms = u.sum == ProductSum::kAligned && u.group == 1 && u.join == AccumulatorJoin::kAligned && !u.c_last &&
                     !u.scale && u.take % 2 == 0;
  const bool exponents =
      u.exponent == TermExponent::kSum && !u.zeros_count && u.least_exponent == kNoExponent && u.product_limit == 0;
  const bool few_bits = u.a->precision() + u.b->precision() <= 8 && u.fraction_bits <= 13 && u.loss == BitLoss::kTruncate &&
                        u.fraction_bits >= u.a->mantissa_bits + u.b->mantissa_bits;
  return terms && exponents && few_bits && u.rounding == ResultRounding::kTowardZero && *u.d == kF32 &&
         u.result_bits >= u.fraction_bits && !u.flush;
}

}  // namespace

UnitPlan plan_of(const Unit& unit, const UnitLoops& loops) {
  UnitPlan plan{};
  plan.unit = &unit;
  plan.blocks = unit.k / unit.take;
  plan.parts = unit.group > 1 ? unit.take / unit.group : unit.splits;
  plan.part = unit.take / plan.parts;
  const int point = unit.a->mantissa_bits + unit.b->mantissa_bits;
  plan.left_shift = unit.group > 1 ? 0 : std::max(0, unit.fraction_bits - point);
  plan.right_shift = unit.group > 1 ? 0 : std::max(0, point - unit.fraction_bits);
  plan.chunk = 1 << std::clamp(29 - unit.fraction_bits, 0, 6);  // a product is below 2^(fraction_bits + 2)
  plan.group_unit = std::ldexp(1.0, unit.a->min_exponent() + unit.b->min_exponent() - point);
  plan.least_normal = std::ldexp(1.0, unit.d->min_exponent());
  plan.last_place = std::ldexp(1.0, -unit.result_bits);
  plan.full_last_place = std::ldexp(1.0, -unit.d->mantissa_bits);
  plan.beyond = std::ldexp(1.0, std::ilogb(max_finite(*unit.d)) + 1);
  plan.narrow = loops.narrow && is_narrow(unit);
  plan.limit_exponent = unit.product_limit - 2;
  return plan;
}

const UnitLoops* unit_loops_named(std::string_view name) {
  if (name == "scalar") return &kUnitLoops_scalar;
#if defined(__x86_64__)
  if (name == "avx512vnni" && unit_loops_named("avx512") && __builtin_cpu_supports("avx512vnni")) return &kUnitLoops_avx512vnni;
  if (name == "avx2" && __builtin_cpu_supports("avx2")) return &kUnitLoops_avx2;
  if (name == "avx512" && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
    return &kUnitLoops_avx512;
#endif
  return nullptr;
}

const UnitLoops& unit_loops() {
  static const UnitLoops* const chosen = [] {
    if (const char* asked = std::getenv("ASSAY_ISA")) {
      const bool vnni = std::string_view(asked) == "avx512" && unit_loops_named("avx512vnni");
      if (const UnitLoops* found = unit_loops_named(vnni ? "avx512vnni" : asked)) return found;
      throw std::runtime_error("ASSAY_ISA is '" + std::string(asked) +
                               "'; this processor offers what of avx512, avx2, scalar it has");
    }
    for (const char* name : {"avx512vnni", "avx512", "avx2"})
      if (const UnitLoops* found = unit_loops_named(name)) return found;
    return &kUnitLoops_scalar;
  }();
  return *chosen;
}

}  // namespace assay
