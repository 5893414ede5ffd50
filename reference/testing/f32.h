// Test inputs in the working formats: random numbers of all magnitudes, and special ones.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {

/// NaN, infinities, both zeros, subnormals, and numbers at the range limits of f32, f16, bf16 and fp8.
inline std::vector<double> special_numbers() {
  std::vector<double> all = {std::nan(""), HUGE_VAL, 0.0};
  for (const Format* f : {&kF32, &kBf16, &kF16, &kE4M3Fn, &kE5M2, &kE4M3Fnuz}) {
    const double least = decode(*f, 1), normal = std::ldexp(1.0, f->min_exponent()), most = max_finite(*f);
    for (double x : {least, 3 * least, normal, normal - least, most, next_down(*f, most), most / 2}) all.push_back(x);
  }
  for (double x : {1.0, 0x1.000002p0, 0x1.fffffep-1, 1.5, 2.0, 2.5, 3.0, 3.5, 127.5, 448.0, 464.0, 0x1.d00002p8, 480.0, 240.0, 248.0, 57344.0,
                   61440.0, 65520.0, 8388607.5, 16777216.0, 1e-10, 88.0, 2049.0, 257.0, -149.5, 0x1p127})
    all.push_back(double(float(x)));
  for (size_t i = 0, n = all.size(); i < n; ++i) all.push_back(-all[i]);
  return all;
}

class RandomNumbers {
 public:
  explicit RandomNumbers(uint64_t seed) : random_(seed) {}

  uint64_t below(uint64_t n) { return random_() % n; }

  /// A random number of the format: any bit pattern, an exponent near that of 1, or few significand bits.
  double of(const Format& format) {
    const uint32_t bits = uint32_t(random_());
    const double any = std::bit_cast<float>(bits);
    const double near_one = std::bit_cast<float>((bits & 0x807fffffu) | uint32_t(117 + random_() % 20) << 23);
    const double few_bits = std::bit_cast<float>((bits & 0x80700000u) | uint32_t(107 + random_() % 40) << 23);
    const double x = below(3) == 0 ? any : below(2) == 0 ? near_one : few_bits;
    return round_to(format, x, Rounding::kTowardZero, Overflow::kSpecial);
  }

 private:
  std::mt19937_64 random_;
};

}  // namespace assay
