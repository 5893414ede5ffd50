// Compares exact sums with long integers, and functions with MPFR at higher precision. Also tests constant expressions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mpfr.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <sstream>
#include <vector>

#include "reference/exact/exact_sum.h"
#include "reference/exact/expression.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "reference/testing/mpfr_programs.h"

namespace assay {
namespace {

/// A sum in MPFR with 4000 bits, enough to be exact for all sums in this file. It is rounded once, at the end.
class WideSum {
 public:
  WideSum() { mpfr_init2(sum_, 4000), mpfr_set_zero(sum_, 1); }
  ~WideSum() { mpfr_clear(sum_); }
  void add(double value) { mpfr_add_d(sum_, sum_, value, MPFR_RNDN); }
  double down() const { return mpfr_get_d(sum_, MPFR_RNDD); }
  double up() const { return mpfr_get_d(sum_, MPFR_RNDU); }

 private:
  mpfr_t sum_;
};

bool brackets_agree(const ExactSum& sum, const WideSum& wide) {
  return sum.rounded_down() == wide.down() && sum.rounded_up() == wide.up();
}

bool sums_agree(const std::vector<double>& values) {
  ExactSum sum;
  WideSum wide;
  for (double value : values) sum.add(value), wide.add(value);
  return brackets_agree(sum, wide);
}

double random_double(std::mt19937_64& random, int lowest, int highest) {
  const double significand = 1 + std::ldexp(double(random() >> 12), -52);
  const double sign = random() % 2 == 0 ? 1 : -1;
  return sign * std::ldexp(significand, lowest + int(random() % uint64_t(highest - lowest)));
}

TEST(ExactSum, EqualsFourThousandBitsOnRandomDoublesOfAllMagnitudes) {
  std::mt19937_64 random(1);
  for (int range : {1, 10, 60, 300, 599}) {
    for (int trial = 0; trial < 200; ++trial) {
      std::vector<double> values;
      for (int i = 0; i < 50; ++i) values.push_back(random_double(random, -range, range));
      ASSERT_TRUE(sums_agree(values)) << "exponents within " << range << ", trial " << trial;
    }
  }
}

TEST(ExactSum, SurvivesCancellationDownToTheLastBit) {
  std::mt19937_64 random(2);
  for (int trial = 0; trial < 500; ++trial) {
    std::vector<double> values;
    for (int i = 0; i < 30; ++i) {
      const double big = random_double(random, -500, 500);
      values.insert(values.end(), {big, -big});
    }
    values.push_back(std::ldexp(1.0, -550));
    if (trial % 3 == 0) values.push_back(random_double(random, -560, -400));
    std::shuffle(values.begin(), values.end(), random);
    ASSERT_TRUE(sums_agree(values)) << trial;
  }
  EXPECT_TRUE(sums_agree({1, 0x1p-53, 0x1p-53}));
  EXPECT_TRUE(sums_agree({1, 0x1p-54, -0x1p-54}));
  EXPECT_TRUE(sums_agree({0x1p500, 1, -0x1p500}));
  EXPECT_TRUE(sums_agree({-1, 0x1p-600}));
  EXPECT_TRUE(sums_agree({1, -0x1p-600}));
  EXPECT_TRUE(sums_agree({1, 0x1p-53, -0x1p-600})) << "just below a tie";
  EXPECT_TRUE(sums_agree({1, 0x1p-53, 0x1p-600})) << "just above it";
  EXPECT_TRUE(sums_agree({}));
}

TEST(ExactSum, TheEndsAreTheTwoDoublesAroundAnInexactSumAndOneForAnExactOne) {
  ExactSum sum;
  sum.add(1);
  EXPECT_EQ(sum.rounded_down(), sum.rounded_up());
  sum.add(0x1p-80);
  EXPECT_EQ(sum.rounded_down(), 1);
  EXPECT_EQ(sum.rounded_up(), std::nextafter(1, 2));
  sum.add(-0x1p-79);
  EXPECT_EQ(sum.rounded_down(), std::nextafter(1, 0));
  EXPECT_EQ(sum.rounded_up(), 1);
}

TEST(ExactSum, ManyCarriesFit) {
  ExactSum sum;
  WideSum wide;
  const double value = 0x1.fffffffffffffp0;
  for (int i = 0; i < 1 << 20; ++i) sum.add(value), wide.add(value);
  EXPECT_TRUE(brackets_agree(sum, wide));
}

TEST(ExactSum, OneDroppedTermOrAPlainSumIsSeen) {
  std::mt19937_64 random(3);
  std::vector<double> values;
  for (int i = 0; i < 100; ++i) values.push_back(random_double(random, -40, 40));
  ExactSum sum;
  WideSum wide;
  double plain = 0;
  for (double value : values) sum.add(value), plain += value;
  for (size_t i = 1; i < values.size(); ++i) wide.add(values[i]);
  EXPECT_FALSE(brackets_agree(sum, wide));
  ExactSum of_plain;
  of_plain.add(plain);
  wide.add(values[0]);
  EXPECT_TRUE(brackets_agree(sum, wide));
  EXPECT_FALSE(brackets_agree(of_plain, wide));
}

bool squares_agree(const std::vector<double>& values) {
  WideSum wide;
  for (double value : values) wide.add(value * value);  // exact: the square of 24 bits has 48
  const SumBounds bounds = exact_sum_of_squares(values);
  return bounds.low == wide.down() && bounds.high == wide.up();
}

/// Rows of f32 numbers: of one magnitude, of all magnitudes, subnormal, one large number among small ones, zeros.
std::vector<std::vector<double>> rows_of_f32() {
  std::mt19937_64 random(4);
  std::vector<std::vector<double>> rows = {{},           {0},       {-0.0, 0x1p-149}, {0x1.fffffep127, 0x1p-149, -0x1.fffffep127},
                                           {1, 0x1p-30}, {0x1p-149}};
  for (int n : {1, 7, 128, 7168}) {
    for (int range : {1, 4, 20, 126}) {
      std::vector<double> row;
      for (int i = 0; i < n; ++i) row.push_back(double(float(random_double(random, -range, range))));
      rows.push_back(row);
      for (double& x : row) x = std::ldexp(std::trunc(x), -149);
      rows.push_back(row);
      row[row.size() / 2] = 0x1.234566p100;
      rows.push_back(row);
    }
  }
  return rows;
}

TEST(ExactSumOfSquares, EqualsFourThousandBitsOnF32Rows) {
  for (const auto& row : rows_of_f32()) ASSERT_TRUE(squares_agree(row)) << "row of " << row.size();
}

TEST(ExactSumOfSquares, EqualsFourThousandBitsOnSixteenBitRows) {
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal;
  for (int drop : {40, 42, 45}) {  // significant bits kept: 13, 11 (f16), 8 (bf16)
    for (int n : {1, 100, 8192, 100000}) {
      std::vector<double> row;
      for (int i = 0; i < n; ++i) {
        const uint64_t bits = std::bit_cast<uint64_t>(normal(random)) >> drop << drop;
        row.push_back(std::bit_cast<double>(bits));
      }
      ASSERT_TRUE(squares_agree(row)) << n;
      row.back() = std::ldexp(row.back(), 60);
      ASSERT_TRUE(squares_agree(row)) << n;
      row.front() = std::ldexp(row.front(), -60);
      ASSERT_TRUE(squares_agree(row)) << n;
    }
  }
}

TEST(ExactSumOfSquares, NanAndInfComeOutAsTheyAre) {
  const double nan = std::nan(""), inf = HUGE_VAL;
  EXPECT_TRUE(std::isnan(exact_sum_of_squares(std::vector<double>{1, inf, nan}).low));
  EXPECT_TRUE(std::isnan(exact_sum_of_squares(std::vector<double>{1, nan, 2}).high));
  EXPECT_EQ(exact_sum_of_squares(std::vector<double>{1, -inf, 2}).low, inf);
  EXPECT_EQ(exact_sum_of_squares(std::vector<double>{1, -inf, 2}).high, inf);
  EXPECT_EQ(exact_sum_of_squares(std::vector<double>{3, 4}).low, 25);
}

constexpr Function kFunctions[] = {Function::kExp,  Function::kExp2, Function::kLog2, Function::kRsqrt,
                                   Function::kSqrt, Function::kTanh, Function::kErf};

/// The value of the function, computed with 400 bits by MPFR's function of the same name.
Real exact(Function function, double x) {
  switch (function) {
    case Function::kExp: return in_reals(mpfr_exp, x);
    case Function::kExp2: return in_reals(mpfr_exp2, x);
    case Function::kLog2: return in_reals(mpfr_log2, x);
    case Function::kRsqrt: return in_reals(mpfr_rec_sqrt, x);
    case Function::kSqrt: return in_reals(mpfr_sqrt, x);
    case Function::kTanh: return in_reals(mpfr_tanh, x);
    case Function::kErf: return in_reals(mpfr_erf, x);
  }
  return x;
}

/// Inputs for a function: every power of two with its neighbours, random f32 numbers of the whole range, and of the range in
/// which the result is not 0, 1 or Inf.
std::vector<double> inputs(Function function) {
  std::vector<double> all = {1, -1, 0.5, 1.5, 100, -100, 88.7228, -87.3365, -103.9721, 127.99999, 128, -126, -149, -150, -150.5};
  for (int e = -149; e < 128; ++e) {
    const auto power = float(std::ldexp(1.0, e));
    for (float x : {power, std::nextafterf(power, 0.0f), std::nextafterf(power, HUGE_VALF)}) all.push_back(x), all.push_back(-x);
  }
  for (int k = -149; k <= 130; ++k) all.push_back(k);
  std::mt19937_64 random(11);
  for (int i = 0; i < 10000; ++i) {
    const double x = std::bit_cast<float>(uint32_t(random()));
    if (std::isfinite(x)) all.push_back(x);
  }
  const double reach = function == Function::kExp2   ? 150
                       : function == Function::kTanh ? 10
                       : function == Function::kErf  ? 4.5
                                                     : 104;
  std::uniform_real_distribution<float> uniform(-float(reach), float(reach));
  for (int i = 0; i < 10000; ++i) all.push_back(uniform(random));
  std::erase(all, 0.0);  // poles have a test of their own, since MPFR's rsqrt(-0) differs from that of IEEE 754
  return all;
}

using Rounded = std::function<double(Function, double, const Format&)>;

std::string disagreement(Function function, const Format& format, const Rounded& rounded) {
  for (double x : inputs(function)) {
    const double got = rounded(function, x, format), expected = nearest(format, exact(function, x));
    if (same_number(got, expected)) continue;
    std::ostringstream text;
    text << "function " << int(function) << " to " << format.name << " at " << std::hexfloat << x << ": " << got << " for "
         << expected;
    return text.str();
  }
  return {};
}

TEST(CorrectlyRounded, BothWaysAgreeWithFourHundredBits) {
  for (Function function : kFunctions) {
    for (const Format* format : {&kF32, &kBf16, &kF16}) {
      EXPECT_EQ(disagreement(function, *format, correctly_rounded), "");
      EXPECT_EQ(disagreement(function, *format, correctly_rounded_by_mpfr), "");
    }
  }
}

TEST(CorrectlyRounded, SingleFunctionsOfTheLibraryAndTruncationAreSeen) {
  const Rounded truncated = [](Function function, double x, const Format& format) {
    return round_to(format, exact(function, x).convert_to<double>(), Rounding::kTowardZero, Overflow::kSpecial);
  };
  for (Function function : kFunctions) EXPECT_NE(disagreement(function, kF32, truncated), "") << int(function);
  const Rounded one_over_root = [](Function, double x, const Format&) { return double(1.0f / std::sqrt(float(x))); };
  EXPECT_NE(disagreement(Function::kRsqrt, kF32, one_over_root), "") << "two roundings in f32 are not one";
}

TEST(CorrectlyRounded, LogarithmsAndPowersOfTwoAreExact) {
  for (int e = -149; e < 128; ++e) {
    EXPECT_EQ(correctly_rounded(Function::kLog2, std::ldexp(1.0, e), kF32), e);
    EXPECT_EQ(correctly_rounded(Function::kExp2, e, kF32), std::ldexp(1.0, e));
    if (e % 2 == 0) {
      EXPECT_EQ(correctly_rounded(Function::kSqrt, std::ldexp(1.0, e), kF32), std::ldexp(1.0, e / 2));
      EXPECT_EQ(correctly_rounded(Function::kRsqrt, std::ldexp(1.0, e), kF32), std::ldexp(1.0, -e / 2));
    }
  }
}

TEST(CorrectlyRounded, RsqrtHoldsOverAllExponentsOfF32) {
  std::mt19937 random(12);
  int64_t count = 0;
  for (uint32_t exponent = 0; exponent < 255; ++exponent) {
    for (int i = 0; i < 500; ++i, ++count) {
      const double x = std::bit_cast<float>(uint32_t(exponent << 23 | (random() & 0x7fffff)));
      if (x == 0) continue;
      ASSERT_EQ(correctly_rounded(Function::kRsqrt, x, kF32), nearest(kF32, exact(Function::kRsqrt, x))) << x;
    }
  }
  EXPECT_GT(count, 100000);
}

/// Inputs whose results are very close to a tie between f32 numbers, so that a double approximation cannot decide the rounding.
std::vector<double> hard_cases(Function function, float first, int count) {
  std::vector<std::pair<double, double>> by_distance;
  float x = first;
  for (int i = 0; i < count; ++i, x = std::nextafterf(x, HUGE_VALF)) {
    const Real y = exact(function, x);
    const double below = round_to(kF32, y.convert_to<double>(), Rounding::kTowardZero, Overflow::kSpecial);
    const double above = next_up(kF32, below);
    const Real middle = (Real(below) + Real(above)) / 2;
    by_distance.emplace_back(Real(abs(y - middle) / (above - below)).convert_to<double>(), x);
  }
  std::sort(by_distance.begin(), by_distance.end());
  std::vector<double> hardest;
  for (size_t i = 0; i < 100; ++i) hardest.push_back(by_distance[i].second);
  return hardest;
}

TEST(CorrectlyRounded, TheFastWayNeverDisagreesWithMpfrOnTheHardestOfManyInputs) {
  for (Function function : kFunctions) {
    for (float first : {0.3f, 1.1f, 3.0f}) {
      for (double x : hard_cases(function, first, 4000)) {
        ASSERT_EQ(correctly_rounded(function, x, kF32), correctly_rounded_by_mpfr(function, x, kF32)) << x;
        ASSERT_EQ(correctly_rounded(function, x, kF32), nearest(kF32, exact(function, x))) << x;
      }
    }
  }
}

TEST(CorrectlyRounded, PolesAndDomainErrorsAreThoseOfIeee) {
  const double inf = HUGE_VAL, nan = std::nan("");
  const struct {
    Function function;
    double x, y;
  } rows[] = {
      {Function::kExp, inf, inf},     {Function::kExp, -inf, 0},     {Function::kExp, 1000, inf},  {Function::kExp, -1000, 0},
      {Function::kExp, 0, 1},         {Function::kExp2, inf, inf},   {Function::kExp2, -inf, 0},   {Function::kExp2, 128, inf},
      {Function::kLog2, 0, -inf},     {Function::kLog2, -0.0, -inf}, {Function::kLog2, -1, nan},   {Function::kLog2, inf, inf},
      {Function::kSqrt, -0.0, -0.0},  {Function::kSqrt, -1, nan},    {Function::kSqrt, inf, inf},  {Function::kRsqrt, 0, inf},
      {Function::kRsqrt, -0.0, -inf}, {Function::kRsqrt, -1, nan},   {Function::kRsqrt, inf, 0},   {Function::kTanh, inf, 1},
      {Function::kTanh, -inf, -1},    {Function::kTanh, -0.0, -0.0}, {Function::kExp, nan, nan},   {Function::kRsqrt, nan, nan},
      {Function::kErf, inf, 1},       {Function::kErf, -inf, -1},    {Function::kErf, -0.0, -0.0}, {Function::kErf, nan, nan}};
  for (const auto& row : rows) {
    for (const Format* format : {&kF32, &kBf16, &kF16}) {
      EXPECT_TRUE(same_number(correctly_rounded(row.function, row.x, *format), row.y)) << int(row.function) << " " << row.x;
      EXPECT_TRUE(same_number(correctly_rounded_by_mpfr(row.function, row.x, *format), row.y))
          << int(row.function) << " " << row.x;
    }
  }
  EXPECT_FALSE(same_number(0.0, -0.0)) << "signs of zero count";
}

}  // namespace

namespace {

using testing::HasSubstr;
using Constants = std::map<std::string, std::string>;

uint32_t f32_bits(const char* text, const Constants& constants = {}) {
  return code_of(kF32, Expression(text).rounded(constants, kF32));
}

TEST(Expression, ConstantsAreRoundedOnceFromTheirExactValue) {
  EXPECT_EQ(f32_bits("1/M", {{"M", "448"}}), 0x3B124925u);
  EXPECT_EQ(f32_bits("1/(512*M)", {{"M", "448"}}), 0x36924925u);
  EXPECT_EQ(f32_bits("1/(512*M)", {{"M", "224"}}), 0x37124925u);
  EXPECT_EQ(f32_bits("1e-10/448"), 0x2A7B5123u);
  EXPECT_EQ(f32_bits("1e-10"), 0x2EDBE6FFu);
  EXPECT_EQ(f32_bits("1e-4"), 0x38D1B717u);
  EXPECT_EQ(f32_bits("0.1"), 0x3DCCCCCDu);
  EXPECT_EQ(f32_bits("1/3"), 0x3EAAAAABu);
  EXPECT_EQ(f32_bits("2^127"), 0x7F000000u);
  EXPECT_EQ(f32_bits("2^-149"), 0x00000001u);
  EXPECT_EQ(f32_bits("2^-150"), 0x00000000u) << "a tie, to even";
  EXPECT_EQ(f32_bits("2^-150+2^-200"), 0x00000001u);
  EXPECT_EQ(f32_bits("1+2^-24"), 0x3F800000u) << "a tie, to even";
  EXPECT_EQ(f32_bits("1+3*2^-24"), 0x3F800002u) << "the other even";
  EXPECT_EQ(f32_bits("-1/8"), 0xBE000000u);
  EXPECT_EQ(f32_bits("-(2+1)*.5"), 0xBFC00000u);
  EXPECT_EQ(code_of(kBf16, Expression("1e-10").rounded({}, kBf16)), 0x2EDCu);
  EXPECT_NE(f32_bits("1/448"), f32_bits("1/449"));
}

/// "position: description" of the syntax error, or "no error".
std::string parse_error(const char* text) {
  try {
    Expression{text};
  } catch (const ParseError& error) {
    return std::to_string(error.position) + ": " + error.what();
  }
  return "no error";
}

/// The error message of an evaluation, or "no error".
std::string value_error(const std::string& text) {
  try {
    (void)Expression(text).integer({{"m", int64_t{1} << 62}});
  } catch (const std::domain_error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Expression, AValueBeyond64BitsIsAnErrorAndNoWrongAddress) {
  for (const char* text : {"(0-2)^63/(0-1)", "m+m", "0-m-m-m", "m*4", "ceil(m+(m-1),m)", "-((0-2)^63)", "2^64"})
    EXPECT_EQ(value_error(text), "a value does not fit in 64 bits") << text;
  EXPECT_EQ(value_error("m/(m-m)"), "division by zero");
  EXPECT_EQ(Expression("(0-2)^63%(0-1)").integer(std::map<std::string, int64_t>{}), 0) << "the remainder by -1 fits";
  EXPECT_EQ(Expression("1^(2^62)").integer(std::map<std::string, int64_t>{}), 1) << "and takes no time";
}

TEST(Expression, HostileFormulasEndAtOnce) {
  const auto parse = [](const std::string& text) { return parse_error(text.c_str()); };
  EXPECT_EQ(parse(std::string(40000, '(')), "256: is nested too deeply");
  EXPECT_EQ(parse(std::string(1'000'000, '-')), "256: is nested too deeply");
  EXPECT_EQ(parse("2" + std::string(40000, '^')), "2: expected a number or a name, not '^'");
  std::string sum = "1";
  for (int i = 0; i < 300; ++i) sum += "+1";
  EXPECT_THAT(parse(sum), HasSubstr("a formula has at most 256 numbers, names and operators"));
  EXPECT_THAT(parse("0." + std::string(5000, '1')), HasSubstr("a number has at most 4096 digits"));
  for (const char* text : {"(10^4096)^4096", "((2^4096)^4096)^4096", "1e999*1e999", "(1+2^-4000)^4096", "1/(1e999*1e999)"})
    EXPECT_THROW((void)Expression(text).rounded({}, kF32), std::domain_error) << text;
  EXPECT_THROW((void)Expression("M").rounded({{"M", std::string(5000, '7')}}, kF32), std::domain_error);
  EXPECT_EQ(Expression("0^4096").rounded({}, kF32), 0);
}

TEST(Expression, ErrorsSayWhereAndWhat) {
  EXPECT_EQ(parse_error("1+2"), "no error");
  EXPECT_EQ(parse_error(""), "0: expected a number or a name");
  EXPECT_EQ(parse_error("1+"), "2: expected a number or a name");
  EXPECT_EQ(parse_error("1 + *2"), "4: expected a number or a name, not '*'");
  EXPECT_EQ(parse_error("(1+2"), "4: expected ')'");
  EXPECT_EQ(parse_error("1+2)"), "3: unexpected ')'");
  EXPECT_EQ(parse_error("1 2"), "2: unexpected '2'");
  EXPECT_EQ(parse_error("ceil(m)"), "6: expected ','");
  EXPECT_EQ(parse_error("(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1"),
            "98: is nested too deeply");
  EXPECT_EQ(parse_error("1.2.3"), "0: '1.2.' is not a number");
  EXPECT_EQ(parse_error("1e"), "0: '1e' is not a number");
  EXPECT_EQ(parse_error("1e5e3"), "0: '1e5e' is not a number");
  EXPECT_EQ(parse_error("1e99999"), "0: '1e99999' is not a number");
  EXPECT_EQ(parse_error("2+0x10"), "2: '0x' is not a number");
  EXPECT_EQ(parse_error("."), "0: '.' is not a number");
  EXPECT_EQ(parse_error("1234567890123456789"), "0: '1234567890123456789' is too large");
}

template <class Error>
std::string value_error(const char* text, const Constants& constants = {}, const Format& format = kF32) {
  try {
    Expression(text).rounded(constants, format);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Expression, WhatHasNoValueSaysSo) {
  EXPECT_EQ(value_error<std::out_of_range>("1/N", {{"M", "448"}}), "unknown name 'N' in '1/N'");
  EXPECT_THAT(value_error<std::domain_error>("1/(2-2)"), HasSubstr("division by zero"));
  EXPECT_THAT(value_error<std::domain_error>("0^-1"), HasSubstr("division by zero"));
  EXPECT_THAT(value_error<std::domain_error>("7%2"), HasSubstr("only + - * / ^"));
  EXPECT_THAT(value_error<std::domain_error>("2^0.5"), HasSubstr("an exponent must be an integer"));
  EXPECT_THAT(value_error<std::domain_error>("2^100000"), HasSubstr("an exponent must be an integer"));
  EXPECT_EQ(value_error<std::domain_error>("1e39"), "too large for f32");
  EXPECT_EQ(value_error<std::domain_error>("65520", {}, kF16), "too large for f16");
  EXPECT_EQ(value_error<std::domain_error>("65519", {}, kF16), "no error");
}

int64_t integer(const char* text, const std::map<std::string, int64_t>& values = {}) { return Expression(text).integer(values); }

TEST(Expression, IntegersDivideDownAndCeilGoesUpToAMultiple) {
  EXPECT_EQ(integer("7/2"), 3);
  EXPECT_EQ(integer("-7/2"), -4) << "down, not toward zero";
  EXPECT_EQ(integer("-7%4"), 1);
  EXPECT_EQ(integer("7%4"), 3);
  for (int64_t m = 0; m < 20; ++m) {
    EXPECT_EQ(integer("ceil(m,4)", {{"m", m}}), (m + 3) / 4 * 4) << m;
    EXPECT_EQ(integer("ceil(0-m,4)", {{"m", m}}), -(m / 4 * 4)) << m;
  }
  EXPECT_NE(integer("ceil(m,4)", {{"m", 5}}), 4) << "up, not down";
  EXPECT_EQ(integer("ceil(n,2048)/256+13", {{"n", 7168}}), 8192 / 256 + 13);
  EXPECT_EQ(integer("2^10-3*(4+1)"), 1009);
  EXPECT_EQ(integer("-2^2"), -4) << "the power binds first";
  EXPECT_EQ(integer("2^3^2"), 512) << "from the right";
  EXPECT_EQ(integer("8-3-2"), 3) << "from the left";
}

TEST(Expression, IntegersRefuseFractionsZeroDivisorsAndUnknownNames) {
  EXPECT_THROW(integer("1.5*2"), std::domain_error);
  EXPECT_THROW(integer("1/0"), std::domain_error);
  EXPECT_THROW(integer("ceil(3,0)"), std::domain_error);
  EXPECT_THROW(integer("2^-1"), std::domain_error);
  EXPECT_THROW(integer("10^30"), std::domain_error);
  EXPECT_THROW(integer("m+1", {{"n", 1}}), std::out_of_range);
  EXPECT_EQ(Expression("4*((c/4)*A+r)+c%4").names(), (std::vector<std::string>{"c", "A", "r"}))
      << "in order of appearance, each once";
}

}  // namespace

}  // namespace assay
