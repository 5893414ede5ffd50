// Random products of scaled codes, computed by exact_dot and checked with long integers.
#pragma once

#include <cmath>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "reference/dot/exact_dot.h"
#include "reference/formats/catalogue.h"
#include "reference/testing/exact_product.h"

namespace assay::dot_answers {

inline const Format* const kOutputs[] = {&kF32, &kBf16, &kF16, &kE4M3Fn};

/// The outputs of exact_dot for a product.
struct Answer {
  std::vector<std::vector<double>> rounded;
  std::vector<double> value, error;
};

inline Answer answer(const OwnedOperand& a, const OwnedOperand& b, const DotKernels& kernels = dot_kernels()) {
  const auto size = size_t(a.operand.rows * b.operand.rows);
  Answer answer{std::vector(std::size(kOutputs), std::vector<double>(size, -1)), std::vector<double>(size, -1),
                std::vector<double>(size, -1)};
  DotOutputs outputs{.value = answer.value, .error = answer.error};
  for (size_t i = 0; i < std::size(kOutputs); ++i) outputs.rounded.push_back({kOutputs[i], answer.rounded[i]});
  exact_dot({a.operand, b.operand, a.k}, {0, a.operand.rows, 0, b.operand.rows}, outputs, kernels);
  return answer;
}

inline bool same(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}

/// Describes the first element that is not the rounded exact one, or whose certificate is wrong; empty if there is none.
inline std::string first_wrong(const OwnedOperand& a, const OwnedOperand& b, const Answer& got) {
  for (int64_t i = 0; i < a.operand.rows; ++i) {
    for (int64_t j = 0; j < b.operand.rows; ++j) {
      const Integer exact = exact_element(a, i, b, j);
      const auto place = size_t(i * b.operand.rows + j);
      const std::string at = "[" + std::to_string(i) + ", " + std::to_string(j) + "] ";
      for (size_t f = 0; f < std::size(kOutputs); ++f)
        if (!same(got.rounded[f][place], nearest(*kOutputs[f], exact)))
          return at + std::string(kOutputs[f]->name) + " is " + std::to_string(got.rounded[f][place]) + ", not " +
                 std::to_string(nearest(*kOutputs[f], exact));
      if (abs(fixed_point(got.value[place]) - exact) > fixed_point(got.error[place])) return at + "lies outside its certificate";
    }
  }
  return "";
}

/// Kind of codes: any finite ones; few bits near one, so that sums are ties; or signs that cancel.
enum class Fill { kAny, kFewBits, kCancelling };

inline double finite(const Format& f, std::mt19937_64& random) {
  for (;;)
    if (const double x = decode(f, uint32_t(random() % f.code_count())); std::isfinite(x)) return x;
}

inline double few_bits(const Format& f, std::mt19937_64& random) {
  const double x = double(1 + random() % 3) * (random() % 2 ? 1 : -1);
  return f == kInt8 ? x : std::ldexp(x, -int(random() % 6));
}

inline double scale_number(const Format& f, Fill fill, std::mt19937_64& random) {
  const int exponent = int(random() % 12) - 6;
  if (f == kE8M0 || fill == Fill::kFewBits) return std::ldexp(1.0, exponent);
  if (random() % 40 == 0) return 0;
  if (random() % 40 == 0) return 0x1p-149;
  return double(float(std::ldexp(1 + double(random() % 8388608) / 8388608, exponent)));
}

inline OwnedOperand random_operand(const Format& f, int64_t rows, int64_t k, const DotScaleKind& kind, Fill fill,
                                   std::mt19937_64& random) {
  OwnedOperand o = make_operand(f, rows, k, kind, int64_t(random() % 3));
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < k; ++i) o.set(row, i, fill == Fill::kFewBits ? few_bits(f, random) : finite(f, random));
  const DotScales& g = o.operand.scales;
  for (int64_t row = 0; g.codes && row < rows; row += g.rows_per_scale)
    for (int64_t i = 0; i < k; i += g.k_per_scale)
      o.set_scale(row / g.rows_per_scale, i / g.k_per_scale, scale_number(*g.format, fill, random));
  return o;
}

}  // namespace assay::dot_answers
