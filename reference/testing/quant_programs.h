// Quantizations as MPFR programs, step by step: in groups, and to int8.
#pragma once

#include <unistd.h>

#include <filesystem>

#include "reference/contracts/contract_rows.h"
#include "reference/flow/group_quant/group_quant.h"
#include "reference/flow/row.h"
#include "reference/testing/mpfr_programs.h"

namespace assay::quant_programs {

// Hand-written quantizations of a group, and rows to test them with.

inline RowOutputs evaluated(const char* id, const std::vector<double>& x, int64_t group_size, const Format& format = kBf16) {
  return evaluate_row(contract_of(id, format), {x, {}, 0, group_size}, nullptr, format);
}

/// What a kernel stores for one group.
struct Group {
  double scale;
  std::vector<uint32_t> codes;
};

/// The e4m3fn code of v: to nearest even, saturating; NaN becomes 0x7f.
inline uint32_t e4m3(double v) {
  if (std::isnan(v)) return 0x7f;
  const double y = std::isinf(v) ? v : nearest(kE4M3Fn, v);
  return code_of(kE4M3Fn, std::isinf(y) ? std::copysign(448.0, y) : y);
}

/// min(max(v, -448), 448) with CUDA's fmaxf and fminf: for NaN, fmaxf returns its bound -448.
inline double max_then_min(double v) { return std::isnan(v) ? -448 : v < -448 ? -448 : v > 448 ? 448 : v; }

inline double amax_of(const std::vector<double>& x) {
  double amax = fl(Real("1e-10"));
  for (double v : x)
    if (std::fabs(v) > amax) amax = std::fabs(v);  // false for NaN, so NaN is ignored
  return amax;
}

/// vLLM per_token_group_quant.cu 0f5257e2, with scales in fp32.
inline Group group_fp8(const std::vector<double>& x) {
  Group g{fl(Real(amax_of(x)) / 448), {}};
  for (double v : x) g.codes.push_back(e4m3(max_then_min(fl(Real(v) / Real(g.scale)))));
  return g;
}

/// Rows of four groups: normal data of many magnitudes, ties, groups of tiny numbers, special values.
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

/// max(-448, min(v, 448)), the order of vLLM's scaled_fp8_conversion: NaN becomes the upper bound 448.
inline double min_then_max(double v) { return std::isnan(v) ? 448 : v < -448 ? -448 : v > 448 ? 448 : v; }

}  // namespace assay::quant_programs

namespace assay::int8_programs {

// Hand-written int8 quantizations of a group, and rows to test them with.

inline const ContractTables& tables() {
  static const ContractTables all = ContractTables::load("reference/contracts");
  return all;
}

/// a / b, a * b and a - b, rounded once, as IEEE 754 defines them for all operands.
inline double divided(double a, double b) { return fl(in_reals(mpfr_div, a, b)); }

inline double times(double a, double b) { return fl(in_reals(mpfr_mul, a, b)); }

/// Rounds to an integer with MPFR, then clamps; NaN becomes 0 (PTX ISA, cvt).
inline int64_t whole(int round(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t), double v, int64_t least, int64_t most) {
  if (std::isnan(v)) return 0;
  const Real w = in_reals(round, v);
  return w < Real(least) ? least : w > Real(most) ? most : w.convert_to<int64_t>();
}

inline int to_even(mpfr_ptr y, mpfr_srcptr x, mpfr_rnd_t) { return mpfr_rint(y, x, MPFR_RNDN); }
inline int inward(mpfr_ptr y, mpfr_srcptr x, mpfr_rnd_t) { return mpfr_trunc(y, x); }

inline constexpr int64_t kLeast32 = -2147483648LL, kMost32 = 2147483647;

/// What a kernel stores for one group. A code without a value may be anything.
struct Group {
  double scale = 0;
  std::optional<int64_t> zero;
  std::vector<std::optional<int64_t>> codes;
};

using Numbers = std::vector<double>;

inline double amax_from(double floor, const Numbers& x) {
  double amax = floor;
  for (double v : x)
    if (std::fabs(v) > amax) amax = std::fabs(v);  // false for NaN, so NaN is ignored
  return amax;
}

/// vLLM per_token_group_quant.cu 0f5257e2: max(., -128), then min(., 127), then a truncating cast.
inline Group group_int8(const Numbers& x) {
  const double amax = amax_from(fl(Real("1e-10")), x);
  Group g{divided(amax, 127), {}, {}};
  for (double v : x) {
    const double quotient = divided(v, g.scale);
    const double limited = std::isnan(quotient) || quotient < -128 ? -128 : quotient > 127 ? 127 : quotient;
    g.codes.push_back(whole(inward, limited, -128, 127));
  }
  return g;
}

/// vLLM scaled_quant.cu 180df48e with a zero point: round, add, clamp.
inline int64_t code_about(double v, double inverse, int64_t azp) {
  const int64_t sum = whole(to_even, times(v, inverse), kLeast32, kMost32) + azp;
  const int64_t word = std::min(std::max(sum, kLeast32), kMost32);
  return std::min<int64_t>(std::max<int64_t>(word, -128), 127);
}

/// Rows of 128 elements: of many magnitudes, all ties for scale 1, of one sign, of one value, special values, very small ones.
inline std::vector<Numbers> rows_of(const Format& x) {
  RandomNumbers random(81);
  std::mt19937 engine(82);
  std::normal_distribution<double> normal;
  const auto in_x = [&](double v) { return round_to(x, v, Rounding::kNearestEven, Overflow::kSpecial); };
  const int lowest = x == kF16 ? -20 : -60, highest = x == kF16 ? 12 : 60;
  std::vector<Numbers> rows;
  for (int trial = 0; trial < 32; ++trial) {
    Numbers row;
    const double offset = trial % 4 == 0 ? 0 : trial % 4 == 1 ? 5 : trial % 4 == 2 ? -5 : 0.1;
    for (int i = 0; i < 128; ++i)
      row.push_back(in_x(std::ldexp(normal(engine) + offset, lowest + (highest - lowest) * trial / 31)));
    rows.push_back(row);
  }
  const Numbers special = special_numbers();
  Numbers any, ties, shifted, specials, tiny;
  for (int i = 0; i < 128; ++i) {
    any.push_back(random.of(x));
    ties.push_back(i == 0 ? -127 : (i - 64) + 0.5);
    shifted.push_back(i == 0 ? -127 : i == 1 ? 128 : (i - 64) + 0.5);  // a range of 255 around an odd zero point
    specials.push_back(i % 7 == 3 ? in_x(special[random.below(special.size())]) : in_x(normal(engine)));
    tiny.push_back(std::ldexp(double(random.below(14)) - 10, x == kF16 ? -24 : -133));
  }
  for (const Numbers& row : {any, ties, shifted, specials, tiny}) rows.push_back(row);
  for (double c : {0.0, -0.0, 1.0, -0.375, std::nan(""), HUGE_VAL, -HUGE_VAL}) rows.emplace_back(128, in_x(c));
  return rows;
}

}  // namespace assay::int8_programs
