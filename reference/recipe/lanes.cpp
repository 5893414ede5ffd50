#include "reference/recipe/lanes.h"

#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "reference/formats/catalogue.h"

namespace assay {

extern const Lanes kLanes_scalar;
#if defined(__x86_64__)
extern const Lanes kLanes_avx2;
extern const Lanes kLanes_avx512;
#endif

Grid grid_of(const Format& f, Overflow overflow) {
  const double largest = max_finite(f);
  const bool infinite = f.specials == Specials::kIeee;
  return {.smallest_normal = power_of_two(f.min_exponent()),
          .last_place = power_of_two(-f.mantissa_bits),
          .largest = largest,
          .beyond = overflow == Overflow::kSaturate ? largest
                    : infinite                      ? HUGE_VAL
                                                    : std::nan(""),
          .has_negative_zero = f.specials != Specials::kFnuz,
          .is_f32 = f == kF32 && overflow == Overflow::kSpecial};
}

const Lanes* lanes_named(std::string_view name) {
  if (name == "scalar") return &kLanes_scalar;
#if defined(__x86_64__)
  if (name == "avx2" && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &kLanes_avx2;
  if (name == "avx512" && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) return &kLanes_avx512;
#endif
  return nullptr;
}

const Lanes& lanes_asked_for(const char* name) {
  if (name != nullptr) {
    if (const Lanes* found = lanes_named(name)) return *found;
    throw std::runtime_error("ASSAY_ISA is '" + std::string(name) +
                             "'; expected scalar, or avx2 or avx512 if this processor supports it");
  }
  for (const char* better : {"avx512", "avx2"})
    if (const Lanes* found = lanes_named(better)) return *found;
  return kLanes_scalar;
}

const Lanes& lanes() {
  static const Lanes& chosen = lanes_asked_for(std::getenv("ASSAY_ISA"));
  return chosen;
}

}  // namespace assay
