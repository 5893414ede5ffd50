// Exact GEMMs in long integers, and the outputs of exact_dot() that are compared with them.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "reference/dot/exact_dot.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {

// GEMMs of scaled codes in Boost.Multiprecision integers, written directly from the definition. Slow.

using Integer = boost::multiprecision::cpp_int;

/// A real number is stored as an integer times 2^-kFraction.
constexpr int kFraction = 1200;

inline Integer fixed_point(double x) {
  int exponent;
  const auto significand = int64_t(std::ldexp(std::frexp(x, &exponent), 53));
  const int shift = exponent - 53 + kFraction;
  return shift >= 0 ? Integer(significand) << shift : Integer(significand) / (Integer(1) << -shift);
}

/// Rounds x to nearest even by the bits of the integer. Overflow gives Inf, or NaN in a format without Inf.
inline double nearest(const Format& format, const Integer& x) {
  if (x == 0) return 0;
  const Integer magnitude = abs(x);
  const int top = int(msb(magnitude)) - kFraction, unit = std::max(top, format.min_exponent()) - format.mantissa_bits;
  const Integer step = Integer(1) << (unit + kFraction);
  Integer steps = magnitude / step;
  const Integer beside = 2 * (magnitude - steps * step);
  if (beside > step || (beside == step && bit_test(steps, 0))) ++steps;
  const double value = std::ldexp(steps.convert_to<double>(), unit);
  const double beyond = format.specials == Specials::kIeee ? HUGE_VAL : std::nan("");
  return std::copysign(value > max_finite(format) ? beyond : value, x < 0 ? -1.0 : 1.0);
}

/// Codes and scales of one operand, with the memory that holds them.
struct OwnedOperand {
  std::vector<std::byte> codes, scales;
  DotOperand operand;
  int64_t k;

  double value(int64_t row, int64_t i) const {
    return decode(*operand.format, code(codes, *operand.format, row * operand.row_stride + i * operand.k_stride));
  }
  double scale(int64_t row, int64_t i) const {
    const DotScales& g = operand.scales;
    return g.codes ? decode(*g.format,
                            code(scales, *g.format, row / g.rows_per_scale * g.row_stride + i / g.k_per_scale * g.k_stride))
                   : 1;
  }
  void set(int64_t row, int64_t i, double x) { put(codes, *operand.format, row * operand.row_stride + i * operand.k_stride, x); }
  void set_scale(int64_t row, int64_t block, double x) {
    put(scales, *operand.scales.format, row * operand.scales.row_stride + block * operand.scales.k_stride, x);
  }

  static uint32_t code(const std::vector<std::byte>& from, const Format& f, int64_t place) {
    uint32_t code = 0;
    for (int i = 0; i < f.bytes(); ++i) code |= std::to_integer<uint32_t>(from[size_t(place * f.bytes() + i)]) << (8 * i);
    return code;
  }
  static void put(std::vector<std::byte>& to, const Format& f, int64_t place, double x) {
    for (int i = 0; i < f.bytes(); ++i) to[size_t(place * f.bytes() + i)] = std::byte(code_of(f, x) >> (8 * i));
  }
};

/// The kinds of scales in real kernels: how many rows, and how many elements along k, share a scale (0: all).
struct DotScaleKind {
  const char* name;
  const Format* format;  ///< nullptr: none
  int64_t rows_per_scale, k_per_scale;
  bool k_first;  ///< true: k, not the row, is the innermost index of scales in memory
};
inline const DotScaleKind kDotScaleKinds[] = {{"none", nullptr, 0, 0, false},     {"tensor", &kF32, 0, 0, false},
                                              {"row", &kF32, 1, 0, false},        {"1x128", &kF32, 1, 128, false},
                                              {"128x128", &kF32, 128, 128, true}, {"3x32", &kF32, 3, 32, true},
                                              {"mx", &kE8M0, 1, 32, true}};

/// An operand whose codes are zero and whose scales are one. `gap` unused elements follow each row.
inline OwnedOperand make_operand(const Format& format, int64_t rows, int64_t k, const DotScaleKind& kind, int64_t gap = 0) {
  OwnedOperand o;
  o.k = k;
  o.codes.resize(size_t(rows * (k + gap) * format.bytes()));
  o.operand = {.codes = o.codes.data(), .format = &format, .rows = rows, .row_stride = k + gap, .k_stride = 1, .scales = {}};
  if (!kind.format) return o;
  const int64_t of_rows = kind.rows_per_scale ? kind.rows_per_scale : rows, of_k = kind.k_per_scale ? kind.k_per_scale : k;
  const int64_t down = (rows + of_rows - 1) / of_rows, across = (k + of_k - 1) / of_k;
  o.scales.resize(size_t(down * across * kind.format->bytes()));
  o.operand.scales = {.codes = o.scales.data(),
                      .format = kind.format,
                      .rows_per_scale = of_rows,
                      .k_per_scale = of_k,
                      .row_stride = kind.k_first ? across : 1,
                      .k_stride = kind.k_first ? 1 : down};
  for (int64_t row = 0; row < down; ++row)
    for (int64_t block = 0; block < across; ++block) o.set_scale(row, block, 1);
  return o;
}

/// The exact element of y, for finite operands.
inline Integer exact_element(const OwnedOperand& a, int64_t row, const OwnedOperand& b, int64_t column) {
  Integer sum = 0;
  for (int64_t i = 0; i < a.k; ++i) {
    const double scales = a.scale(row, i) * b.scale(column, i), codes = a.value(row, i) * b.value(column, i);  // both exact
    if (scales == 0 || codes == 0) continue;
    int of_scales, of_codes;
    const Integer term =
        Integer(int64_t(std::ldexp(std::frexp(scales, &of_scales), 53))) * int64_t(std::ldexp(std::frexp(codes, &of_codes), 53));
    const int shift = of_scales + of_codes - 106 + kFraction;
    sum += shift >= 0 ? Integer(term << shift) : Integer(term / (Integer(1) << -shift));
  }
  return sum;
}

}  // namespace assay

namespace assay::dot_answers {

// Random GEMMs of scaled codes, and exact_dot()'s results for them.

inline const Format* const kOutputs[] = {&kF32, &kBf16, &kF16, &kE4M3Fn};

/// The outputs of exact_dot() for one GEMM.
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

/// Describes the first element that is not the rounded exact one, or whose error bound is wrong; empty if there is none.
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

/// Kinds of codes: any finite codes; codes near 1 with few bits, so that sums are ties; codes whose products cancel.
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
