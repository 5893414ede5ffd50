// Exact numbers n * 2^e for the definition of units.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <cmath>

#include "reference/units/unit.h"

namespace assay {

/// Expression templates are off so that both branches of a conditional have the same type.
using Integer = boost::multiprecision::number<boost::multiprecision::cpp_int_backend<>, boost::multiprecision::et_off>;

class Dyadic {
 public:
  Dyadic() = default;
  /// Conversion of a finite double.
  explicit Dyadic(double value) {
    int exponent = 0;
    const double significand = std::frexp(value, &exponent);
    n_ = int64_t(std::ldexp(significand, 53));
    e_ = exponent - 53;
  }
  Dyadic(Integer n, int e) : n_(std::move(n)), e_(e) {}

  bool is_zero() const { return n_ == 0; }
  bool is_negative() const { return n_ < 0; }
  /// Rounds to the nearest double.
  double value() const { return std::ldexp(double(n_), e_); }
  /// floor(log2 |x|); x must not be 0.
  int exponent() const { return int(msb(abs(n_))) + e_; }

  /// The number of whole steps of 2^step; `loss` says how the remainder is removed.
  Integer steps(int step, BitLoss loss) const {
    if (e_ >= step) return n_ << (e_ - step);
    const Integer magnitude = abs(n_) >> (step - e_);
    if (n_ >= 0) return magnitude;
    const bool whole = magnitude << (step - e_) == abs(n_);
    return loss == BitLoss::kTruncate || whole ? -magnitude : -magnitude - 1;
  }

  /// The number of steps of 2^step, rounded to nearest, ties to even.
  Integer nearest_steps(int step) const {
    const Integer below = steps(step, BitLoss::kFloor);
    const Dyadic beside = *this + Dyadic(-below, step), half = Dyadic(1, step - 1) + Dyadic(-beside.n_, beside.e_);
    const bool up = half.is_negative() || (half.is_zero() && (below & 1) != 0);
    return up ? below + 1 : below;
  }

  friend Dyadic operator+(const Dyadic& x, const Dyadic& y) {
    if (x.is_zero()) return y;
    if (y.is_zero()) return x;
    const int e = std::min(x.e_, y.e_);
    return {(x.n_ << (x.e_ - e)) + (y.n_ << (y.e_ - e)), e};
  }
  friend Dyadic operator*(const Dyadic& x, const Dyadic& y) { return {x.n_ * y.n_, x.e_ + y.e_}; }

 private:
  Integer n_ = 0;
  int e_ = 0;
};

}  // namespace assay
