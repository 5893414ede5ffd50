// Hand-written quantizations of a group, and test rows for them.
#pragma once

#include "reference/contracts/rows.h"
#include "reference/flow/group_quant/group_quant.h"
#include "reference/flow/row.h"
#include "reference/testing/f32.h"
#include "reference/testing/real.h"
#include "reference/testing/twins.h"

namespace assay::quant_programs {

inline RowOutputs evaluated(const char* id, const std::vector<double>& x, int64_t group_size, const Format& format = kBf16) {
  return evaluate_row(contract_of(id, format), {x, {}, 0, group_size}, nullptr, format);
}

/// The result of a kernel for one group.
struct Group {
  double scale;
  std::vector<uint32_t> codes;
};

/// Rounds to e4m3fn, to nearest even, saturating; NaN is 0x7F.
inline uint32_t e4m3(double v) {
  if (std::isnan(v)) return 0x7f;
  const double y = std::isinf(v) ? v : nearest(kE4M3Fn, v);
  return code_of(kE4M3Fn, std::isinf(y) ? std::copysign(448.0, y) : y);
}

/// min(max(v, -448), 448) with CUDA's fmaxf and fminf: fmaxf replaces a NaN by its bound.
inline double max_then_min(double v) { return std::isnan(v) ? -448 : v < -448 ? -448 : v > 448 ? 448 : v; }

inline double amax_of(const std::vector<double>& x) {
  double amax = fl(Real("1e-10"));
  for (double v : x)
    if (std::fabs(v) > amax) amax = std::fabs(v);  // false for NaN
  return amax;
}

/// vLLM per_token_group_quant.cu 0f5257e2 with fp32 scales.
inline Group group_fp8(const std::vector<double>& x) {
  Group g{fl(Real(amax_of(x)) / 448), {}};
  for (double v : x) g.codes.push_back(e4m3(max_then_min(fl(Real(v) / Real(g.scale)))));
  return g;
}

/// Rows of four groups: normal data of many magnitudes, ties, groups of tiny numbers, specials.
inline std::vector<std::vector<double>> rows_of(const Format& x, int64_t group_size) {
  RandomNumbers random(71);
  std::mt19937 engine(72);
  std::normal_distribution<double> normal;
  const auto in_x = [&](double v) { return round_to(x, v, Rounding::kNearestEven, Overflow::kSpecial); };
  const int lowest = x == kF16 ? -20 : -60, highest = x == kF16 ? 12 : 60;
  std::vector<std::vector<double>> rows;
  for (int trial = 0; trial < 24; ++trial) {
    std::vector<double> row;
    for (int64_t i = 0; i < 4 * group_size; ++i) {
      const int exponent = lowest + (highest - lowest) * trial / 23;
      row.push_back(in_x(std::ldexp(normal(engine), exponent)));
    }
    rows.push_back(row);
  }
  std::vector<double> any, ties, specials, quiet;
  const std::vector<double> special = special_numbers();
  for (int64_t i = 0; i < 4 * group_size; ++i) {
    any.push_back(random.of(x));
    ties.push_back(
        in_x(i % group_size == 0 ? 448 : (double(random.below(250)) + 0.5) * std::ldexp(1.0, int(random.below(8)) - 4)));
    specials.push_back(i % 7 == 3 ? in_x(special[random.below(special.size())]) : in_x(normal(engine)));
    quiet.push_back(in_x(normal(engine) * std::ldexp(1.0, -28 - int(i / group_size) * 3)));
  }
  for (auto* row : {&any, &ties, &specials, &quiet}) rows.push_back(*row);
  rows.push_back(std::vector<double>(size_t(4 * group_size), 0.0));
  rows.push_back(std::vector<double>(size_t(4 * group_size), std::nan("")));
  return rows;
}

/// min(max(v, -448), 448) in the order of vLLM's scaled_fp8_conversion: a NaN becomes the upper bound.
inline double min_then_max(double v) { return std::isnan(v) ? 448 : v < -448 ? -448 : v > 448 ? 448 : v; }

}  // namespace assay::quant_programs
