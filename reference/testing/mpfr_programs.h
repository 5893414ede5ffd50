// MPFR numbers for tests, and helpers for hand-written programs: f32 arithmetic, cache records and ranks.
#pragma once

#include <mpfr.h>

#include <bit>
#include <boost/multiprecision/mpfr.hpp>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "reference/flow/contract.h"
#include "reference/flow/group_quant/group_quant.h"
#include "reference/flow/rank_reduce/rank_reduce.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/format.h"
#include "reference/formats/round.h"

namespace assay {

// Real numbers for tests: MPFR with about 400 bits, and MPFR's rounding to a format. A test can write a definition such as "a
// real function, then one rounding" directly, without code of the reference.

/// Sums, differences and products of f32 numbers are exact; quotients and functions are correctly rounded to 400 bits.
using Real = boost::multiprecision::number<boost::multiprecision::mpfr_float_backend<120>, boost::multiprecision::et_off>;

/// Rounds `x` to a floating-point format by MPFR, with the format's precision, exponent range and subnormals. NaN stays NaN.
/// Overflow gives Inf, or the largest number if `mode` rounds toward it. A zero keeps the sign of `x`.
inline double rounded(const Format& format, const Real& x, mpfr_rnd_t mode) {
  mpfr_t y;
  mpfr_init2(y, format.precision());
  int ternary = mpfr_set(y, x.backend().data(), mode);
  const mpfr_exp_t lowest = mpfr_get_emin(), highest = mpfr_get_emax();
  mpfr_set_emin(format.min_exponent() - format.mantissa_bits + 1);  // MPFR significands are in [1/2, 1)
  mpfr_set_emax(std::ilogb(max_finite(format)) + 1);
  ternary = mpfr_check_range(y, ternary, mode);
  mpfr_subnormalize(y, ternary, mode);
  const double result = mpfr_get_d(y, MPFR_RNDN);
  mpfr_set_emin(lowest);
  mpfr_set_emax(highest);
  mpfr_clear(y);
  if (std::isinf(result) || !(std::fabs(result) > max_finite(format))) return result;
  // The format lacks some numbers of this exponent range: in "fn" formats, the code after the largest number is NaN.
  return mode == MPFR_RNDZ ? std::copysign(max_finite(format), result) : std::copysign(HUGE_VAL, result);
}

inline double nearest(const Format& format, const Real& x) { return rounded(format, x, MPFR_RNDN); }

/// An MPFR function of one or two real numbers, with 400 bits. MPFR treats NaN, Inf and zeros as IEEE 754 does.
inline Real in_reals(int function(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t), const Real& x) {
  Real y;
  function(y.backend().data(), x.backend().data(), MPFR_RNDN);
  return y;
}
inline Real in_reals(int function(mpfr_ptr, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t), const Real& a, const Real& b) {
  Real y;
  function(y.backend().data(), a.backend().data(), b.backend().data(), MPFR_RNDN);
  return y;
}

/// True for equal numbers (zeros must also have the same sign), and for two NaN.
inline bool same_number(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}

// Test inputs in working formats: random numbers of all magnitudes, and special ones.

/// NaN, infinities, both zeros, subnormals, and numbers at the range limits of f32, f16, bf16 and fp8.
inline std::vector<double> special_numbers() {
  std::vector<double> all = {std::nan(""), HUGE_VAL, 0.0};
  for (const Format* f : {&kF32, &kBf16, &kF16, &kE4M3Fn, &kE5M2, &kE4M3Fnuz}) {
    const double least = decode(*f, 1), normal = std::ldexp(1.0, f->min_exponent()), most = max_finite(*f);
    for (double x : {least, 3 * least, normal, normal - least, most, next_down(*f, most), most / 2}) all.push_back(x);
  }
  for (double x : {1.0,       0x1.000002p0, 0x1.fffffep-1, 1.5,   2.0,    2.5,   3.0,     3.5,     127.5,
                   448.0,     464.0,        0x1.d00002p8,  480.0, 240.0,  248.0, 57344.0, 61440.0, 65520.0,
                   8388607.5, 16777216.0,   1e-10,         88.0,  2049.0, 257.0, -149.5,  0x1p127})
    all.push_back(double(float(x)));
  for (size_t i = 0, n = all.size(); i < n; ++i) all.push_back(-all[i]);
  return all;
}

class RandomNumbers {
 public:
  explicit RandomNumbers(uint64_t seed) : random_(seed) {}

  uint64_t below(uint64_t n) { return random_() % n; }

  /// A random number of the format: of any bit pattern, with an exponent near that of 1, or with few significand bits.
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

// Helpers for hand-written programs ("twins"), which compute what a contract describes, step by step, in MPFR.

inline Contract contract_of(const std::string& id, const Format& x) {
  static const ContractTables tables = ContractTables::load("reference/contracts");
  return bind(tables, id, x);
}

inline double fl(const Real& x) { return nearest(kF32, x); }

// Helpers for tests of paged cache records.

inline RecordValues record_of(const Contract& contract, RowInputs inputs, int64_t coded) {
  inputs.coded = coded;
  return record_values(contract, inputs, nullptr, kBf16);
}

/// The smallest power of two that is at least v.
inline double power_above(const Real& v) {
  double power = 0x1p-140;
  while (Real(power) < v) power *= 2;
  return power;
}

// Rows of rank_reduce and inputs of ranks, for tests.

inline const ContractTables& tables_of_ranks() {
  static const ContractTables tables = ContractTables::load("reference/contracts");
  return tables;
}
inline RankReduce contract_of_ranks(const std::string& id) { return read_rank_reduce(tables_of_ranks().find(id)); }

/// Values that cancel, so that the last bits of a sum show the order of additions.
inline RankInputs inputs_of_ranks(const Format& x, int ranks, int64_t elements, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  RankInputs in;
  in.x.assign(size_t(ranks), std::vector<double>(size_t(elements)));
  for (int64_t e = 0; e < elements; ++e) {
    const int up = int(engine() % unsigned(ranks)), down = (up + 1 + int(engine() % unsigned(ranks - 1))) % ranks;
    const double large = std::ldexp(1.0 + double(engine() % 128) / 128, x == kF16 ? 15 : 24);
    for (int r = 0; r < ranks; ++r)
      in.x[size_t(r)][size_t(e)] = nearest(x, r == up ? large : r == down ? -large : normal(engine));
  }
  return in;
}

}  // namespace assay
