// The definition of every verb: a real function in MPFR, then one rounding by MPFR. Shares no code with the evaluator.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "reference/recipe/recipe.h"
#include "reference/testing/mpfr_programs.h"

namespace assay::verb_definitions {

/// Input of a definition: the step, its value and operand, and the working format.
struct Input {
  std::string text;
  double v, a;
  const Format& working;
};

struct Definition {
  std::vector<std::string> forms;  ///< cells to test; `a` stands for the operand
  std::function<double(const Input&)> value;
};

inline bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

using Binary = int(mpfr_ptr, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t);
using Unary = int(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t);

inline Definition of_two(const char* form, Binary function) {
  return {{form}, [=](const Input& in) { return nearest(in.working, in_reals(function, in.v, in.a)); }};
}
inline Definition of_one(const char* form, Unary function) {
  return {{form}, [=](const Input& in) { return nearest(in.working, in_reals(function, in.v)); }};
}

inline int to_integer_above(mpfr_ptr y, mpfr_srcptr x, mpfr_rnd_t) { return mpfr_ceil(y, x); }
inline int mpfr_round_away(mpfr_ptr y, mpfr_srcptr x, mpfr_rnd_t) { return mpfr_round(y, x); }
inline int to_integer_inward(mpfr_ptr y, mpfr_srcptr x, mpfr_rnd_t) { return mpfr_trunc(y, x); }

/// The larger (or smaller) of two values, where -0 counts as less than +0. Ignores a NaN, or returns it if the step says `keep`.
inline double larger(const Input& in, double sign) {
  if (std::isnan(in.v) || std::isnan(in.a)) {
    if (has(in.text, "keep")) return std::nan("");
    return std::isnan(in.v) ? in.a : in.v;
  }
  if (in.v == 0 && in.a == 0) return std::signbit(in.v) == std::signbit(sign) ? in.v : in.a;
  return sign * in.v >= sign * in.a ? in.v : in.a;
}

inline double into_bounds(const Input& in, double low, double high) {
  if (std::isnan(in.v)) return has(in.text, "keep") ? in.v : has(in.text, "min_max") ? high : low;
  return in.v < low ? low : in.v > high ? high : in.v;
}

/// The rules of pow2: finds v = m 2^e with 1 <= m < 2 by trying every e.
inline double power_of_two(const Input& in) {
  static const std::vector<Real> powers = [] {
    std::vector<Real> all;
    for (int e = -149; e <= 128; ++e) all.push_back(in_reals(mpfr_exp2, e));
    return all;
  }();
  if (!(in.v > 0) || std::isinf(in.v)) return in.v;
  int e = -149;
  while (Real(in.v) >= powers.at(size_t(e + 1 + 149))) ++e;
  const Real m = Real(in.v) / powers.at(size_t(e + 149));
  const bool up = has(in.text, "ceil")   ? m > 1
                  : has(in.text, "even") ? m >= Real(31) / 16
                  : has(in.text, "q75")  ? m >= Real(7) / 4
                  : has(in.text, "half") ? m >= Real(3) / 2
                                         : false;
  return std::ldexp(1.0, e + up);
}

inline double to_format(const Input& in) {
  const std::string name = in.text.substr(3, in.text.find_first_of(",)") - 3);
  const Format& f = *find_format(name);
  const Real v = in.v;
  const bool saturates =
      !has(in.text, "nosat") && (f.bits <= 8 || has(in.text, ",sat") || (has(in.text, ",ovfl") && !std::isinf(in.v)));
  if (f.is_integer()) {
    if (std::isnan(in.v)) return 0;  // PTX ISA, cvt
    const Real whole = in_reals(has(in.text, "rz") ? to_integer_inward : has(in.text, "rna") ? mpfr_round_away : mpfr_rint, v);
    const Real least = -max_finite(kInt32) - 1, most = max_finite(kInt32);
    if (!has(in.text, "wrap")) return std::fmin(std::fmax(whole.convert_to<double>(), -max_finite(f) - 1), max_finite(f));
    const int64_t word = (whole < least ? least : whole > most ? most : whole).convert_to<int64_t>();
    return double(((word + 128) % 256 + 256) % 256 - 128);
  }
  if (std::isnan(in.v)) return in.v;
  double y;
  if (std::isinf(in.v)) y = in.v;
  else if (has(in.text, ",rz")) y = rounded(f, v, MPFR_RNDZ);
  else if (has(in.text, ",rna")) {
    const double inner = rounded(f, v, MPFR_RNDZ), sign = in.v < 0 ? -1 : 1;
    const double step = sign * (std::fabs(inner) == max_finite(f) ? max_finite(f) - next_down(f, max_finite(f))
                                                                  : next_up(f, std::fabs(inner)) - std::fabs(inner));
    const bool outward = abs(v - Real(inner)) * 2 >= Real(std::fabs(step));
    y = outward ? inner + step : inner;
    if (std::fabs(y) > max_finite(f)) y = sign * HUGE_VAL;
    if (y == 0) y = std::copysign(0.0, in.v);
  } else y = nearest(f, v);
  if (std::isinf(y)) {
    if (saturates) return std::copysign(max_finite(f), y);
    return f.specials == Specials::kIeee ? y : std::nan("");
  }
  return y == 0 && f.specials == Specials::kFnuz ? 0.0 : y;
}

inline const std::map<Verb, Definition>& definitions() {
  static const std::map<Verb, Definition> all = {
      {Verb::kAdd, of_two("add(a)", mpfr_add)},
      {Verb::kSub, of_two("sub(a)", mpfr_sub)},
      {Verb::kMul, of_two("mul(a)", mpfr_mul)},
      {Verb::kFma,
       {{"fma(a,a)", "fma(a,448)"},
        [](const Input& in) {
          const Real v = in.v, a = in.a, b = has(in.text, "448") ? 448 : in.a;
          Real sum;
          mpfr_fma(sum.backend().data(), v.backend().data(), a.backend().data(), b.backend().data(), MPFR_RNDN);
          return nearest(in.working, sum);
        }}},
      {Verb::kDiv, of_two("div(a)", mpfr_div)},
      {Verb::kRdiv, {{"rdiv(a)"}, [](const Input& in) { return nearest(in.working, in_reals(mpfr_div, in.a, in.v)); }}},
      {Verb::kRcp, {{"rcp"}, [](const Input& in) { return nearest(in.working, in_reals(mpfr_div, 1, in.v)); }}},
      {Verb::kNeg, {{"neg"}, [](const Input& in) { return in_reals(mpfr_neg, in.v).convert_to<double>(); }}},
      {Verb::kAbs, {{"abs"}, [](const Input& in) { return in_reals(mpfr_abs, in.v).convert_to<double>(); }}},
      {Verb::kMax, {{"max(a)", "max(a,keep)"}, [](const Input& in) { return larger(in, 1); }}},
      {Verb::kMin, {{"min(a)", "min(a,keep)"}, [](const Input& in) { return larger(in, -1); }}},
      {Verb::kClamp,
       {{"clamp(max_min,448)", "clamp(min_max,448)", "clamp(med3,448)", "clamp(keep,448)"},
        [](const Input& in) { return into_bounds(in, -448, 448); }}},
      {Verb::kIf0, {{"if0(a)"}, [](const Input& in) { return in.v == 0 ? in.a : in.v; }}},
      {Verb::kIfLe,
       {{"ifle(a,448)", "ifle(448,a)"},
        [](const Input& in) {
          const bool bound_first = has(in.text, "(a");
          return in.v <= (bound_first ? in.a : 448) ? (bound_first ? 448 : in.a) : in.v;
        }}},
      {Verb::kCeil, of_one("ceil", to_integer_above)},
      {Verb::kRint, of_one("rint", mpfr_rint)},
      {Verb::kTrunc, of_one("trunc", to_integer_inward)},
      {Verb::kFtz,
       {{"ftz"}, [](const Input& in) { return abs(Real(in.v)) < pow(Real(2), -126) ? std::copysign(0.0, in.v) : in.v; }}},
      {Verb::kPow2, {{"pow2(floor)", "pow2(ceil)", "pow2(even)", "pow2(q75)", "pow2(half)"}, power_of_two}},
      {Verb::kExp, of_one("exp", mpfr_exp)},
      {Verb::kExp2, of_one("exp2", mpfr_exp2)},
      {Verb::kLog2, of_one("log2", mpfr_log2)},
      {Verb::kTanh, of_one("tanh", mpfr_tanh)},
      {Verb::kErf, of_one("erf", mpfr_erf)},
      {Verb::kSqrt, of_one("sqrt", mpfr_sqrt)},
      {Verb::kRsqrt,
       {{"rsqrt"},
        [](const Input& in) {
          if (in.v == 0) return 1 / in.v;  // IEEE 754-2019, 9.2.1: the sign of the zero
          return nearest(in.working, in_reals(mpfr_rec_sqrt, in.v));
        }}},
      {Verb::kTo,
       {{"to(f32)",
         "to(bf16)",
         "to(f16)",
         "to(bf16,rz)",
         "to(f16,rna)",
         "to(bf16,sat)",
         "to(f16,ovfl)",
         "to(e4m3fn)",
         "to(e4m3fn,nosat)",
         "to(e4m3fn,rz)",
         "to(e4m3fn,rna)",
         "to(e4m3fnuz)",
         "to(e4m3fnuz,nosat)",
         "to(e5m2)",
         "to(e5m2,nosat)",
         "to(e5m2fnuz)",
         "to(int8)",
         "to(int8,rz)",
         "to(int8,rna)",
         "to(int8,wrap)"},
        to_format}}};
  return all;
}

}  // namespace assay::verb_definitions
