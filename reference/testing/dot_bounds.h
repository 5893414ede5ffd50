// Tests of GEMMs that run once for each instruction set of the processor.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "reference/dot/dot_kernels.h"
#include "reference/dot/exact_dot.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "reference/testing/dot_answers.h"
#include "reference/testing/unit_data.h"

namespace assay {

/// The test parameter is the name of the instruction set.
class WithDotKernels : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    kernels = dot_kernels_named(GetParam());
    if (!kernels) GTEST_SKIP() << "this processor has no " << GetParam();
    EXPECT_EQ(kernels->name, GetParam());
  }
  const DotKernels* kernels = nullptr;
};

}  // namespace assay

namespace assay::dot_bounds {

// GEMMs for tests of a tensor core's error bounds: data, exact_dot()'s results, and the bounds by their definition.

/// The model of a tensor core instruction, such as fp8 on sm_90, or an instruction of sm_100 with scales.
inline AccumulatorModel model_of(const std::string& unit, int64_t chunk) {
  return accumulator_model(unit_table().find(unit).unit, chunk).value();
}
inline const AccumulatorModel& hopper() {
  static const AccumulatorModel model = model_of("sm_90.wgmma.e4m3.f32", 128);
  return model;
}
inline const AccumulatorModel& hopper_unpromoted() {
  static const AccumulatorModel model = model_of("sm_90.wgmma.e4m3.f32", 0);
  return model;
}
inline const AccumulatorModel& blackwell() {
  static const AccumulatorModel model = model_of("sm_100.tcgen05.mx_e4m3.f32", 0);
  return model;
}

struct Bounds {
  std::vector<double> value, absolute_sum, bound;
  std::vector<int32_t> exponent;
};

inline Bounds bounds(const OwnedOperand& a, const OwnedOperand& b, const AccumulatorModel& model, const DotKernels& kernels) {
  const auto size = size_t(a.operand.rows * b.operand.rows);
  Bounds got{std::vector<double>(size, -1), std::vector<double>(size, -1), std::vector<double>(size, -1),
             std::vector<int32_t>(size, -1)};
  exact_dot({a.operand, b.operand, a.k}, {0, a.operand.rows, 0, b.operand.rows},
            {.value = got.value,
             .absolute_sum = got.absolute_sum,
             .model = model,
             .bound = got.bound,
             .largest_exponent = got.exponent},
            kernels);
  return got;
}

inline int exponent_of(const OwnedOperand& o, int64_t row, int64_t i) {
  const Format& f = *o.operand.format;
  return f == kInt8 ? std::ilogb(o.value(row, i)) : std::max(std::ilogb(o.value(row, i)), f.min_exponent());
}

inline bool scales_change(const OwnedOperand& o) { return o.operand.scales.codes && o.operand.scales.k_per_scale < o.k; }

/// For one element, by definition: the result of a tensor core that follows the model, the bound of its error, and the largest
/// exponent.
struct Defined {
  double unit = 0, bound = 0;
  int exponent = std::numeric_limits<int32_t>::min();
};

inline Defined defined(const OwnedOperand& a, int64_t row, const OwnedOperand& b, int64_t column, const AccumulatorModel& m) {
  Defined y;
  const int64_t chunk = m.chunk ? m.chunk : a.k, g = m.products_per_step;
  const auto scale = [&](const OwnedOperand& o, int64_t r, int64_t k, bool inside) {
    return scales_change(o) && m.scales_inside == inside ? o.scale(r, k) : 1;
  };
  for (int64_t first = 0; first < a.k; first += chunk) {
    const int64_t end = std::min(a.k, first + chunk);
    double exact = 0, c = 0, prefix = 0;
    int of_products = kNoDotExponent;
    for (int64_t at = first; at < end; at += g) {
      std::vector<double> terms = {c};
      int aligned = c == 0 ? kNoDotExponent : std::ilogb(c);
      for (int64_t k = at; k < std::min(end, at + g); ++k) {
        const double scales = scale(a, row, k, true) * scale(b, column, k, true), product = a.value(row, k) * b.value(column, k);
        if (product == 0) continue;
        const int e = exponent_of(a, row, k) + exponent_of(b, column, k) + std::ilogb(scales);
        terms.push_back(product * scales);
        aligned = std::max(aligned, e);
        of_products = std::max(of_products, e);
        exact += product * scales;  // exact in double: few bits
      }
      const double step = std::ldexp(1.0, aligned - m.fraction_bits);
      c = 0;
      for (double term : terms) c += std::trunc(term / step) * step;
      const Format result{"result", 32, 8, m.result_bits, 127, Specials::kIeee, "of the model"};
      c = c == 0 ? 0
                 : round_to(result, c, m.result_to_nearest ? Rounding::kNearestEven : Rounding::kTowardZero, Overflow::kSpecial);
      prefix = std::max(prefix, std::fabs(exact));
    }
    const double scales = scale(a, row, first, false) * scale(b, column, first, false);
    const double of_unit = double((end - first + g - 1) / g) * (double(g + 1) * std::ldexp(1.0, -m.fraction_bits) +
                                                                std::ldexp(1.0, -m.result_bits - (m.result_to_nearest ? 1 : 0)));
    const double power = of_products == kNoDotExponent ? 0 : std::ldexp(1.0, of_products);
    const double partial = std::max(prefix + of_unit * power, prefix / (1 - of_unit));
    y.unit += scales * c;
    y.bound += std::fabs(scales) * of_unit * std::max(power, partial > 0 ? std::ldexp(1.0, std::ilogb(partial)) : 0);
    if (power > 0) y.exponent = std::max(y.exponent, of_products);
    if (prefix > 0) y.exponent = std::max(y.exponent, std::ilogb(prefix));
  }
  const auto factor = [&](const OwnedOperand& o, int64_t r) { return scales_change(o) ? 1 : o.scale(r, 0); };
  y.unit *= factor(a, row) * factor(b, column);
  y.bound *= std::fabs(factor(a, row) * factor(b, column));
  return y;
}

/// Numbers with few bits and many exponents, including subnormals.
inline double number(const Format& f, std::mt19937_64& random) {
  if (random() % 4 == 0) return decode(f, uint32_t(random() % 4));
  if (f == kInt8) return double(random() % 256) - 128;
  return std::ldexp((random() % 2 ? 1 : -1) * (1 + double(random() % 4) / 4), int(random() % 9) - 4);
}

inline OwnedOperand operand(const Format& f, int64_t rows, int64_t k, const DotScaleKind& kind, std::mt19937_64& random) {
  OwnedOperand o = make_operand(f, rows, k, kind);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < k; ++i) o.set(row, i, number(f, random));
  const DotScales& g = o.operand.scales;
  for (int64_t row = 0; g.codes && row < rows; row += g.rows_per_scale)
    for (int64_t i = 0; i < k; i += g.k_per_scale)
      o.set_scale(row / g.rows_per_scale, i / g.k_per_scale, std::ldexp(1.0, int(random() % 7) - 3));
  return o;
}

inline constexpr double relative(int64_t k) {
  return double(k + 64) * std::numeric_limits<double>::epsilon();
}  // small slack for roundings on both sides

class EverySetOfLoops : public WithDotKernels {};

}  // namespace assay::dot_bounds
