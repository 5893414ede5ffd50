#include "reference/units/replay.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>

#include "reference/formats/quantum.h"

namespace assay {
namespace {

// The <cmath> functions are calls when compiled for a generic processor, and took most of the time.

/// Whether |x| < 2^52, so that x may have a fraction and fits in a 64-bit integer.
bool can_have_fraction(double x) { return std::fabs(x) < 0x1p52; }
double truncated(double x) { return can_have_fraction(x) ? std::copysign(double(int64_t(x)), x) : x; }
double floored(double x) {
  const double whole = truncated(x);
  return whole > x ? whole - 1 : whole;
}
/// Rounds to nearest even, using the addition of the processor: doubles of 2^52 and more have no fraction.
double to_nearest_even(double x) { return can_have_fraction(x) ? std::copysign((std::fabs(x) + 0x1p52) - 0x1p52, x) : x; }

/// Sums and steps here belong to FP8 products in f32, or a few bits more. So 2^step and 2^-step are normal doubles, and products
/// with them are exact. If all terms are zero, the step is that of kNoExponent, which a double cannot represent.
double cut(double x, int step, BitLoss loss) {
  if (x == 0) return x;
  const double steps = x * power_of_two(-step);
  return (loss == BitLoss::kTruncate ? truncated(steps) : floored(steps)) * power_of_two(step);
}

/// The interval that holds x with and without the loss.
Span lose(double x, int step, BitLoss loss) {
  const double left = cut(x, step, loss);
  return {std::min(x, left), std::max(x, left)};
}
Span lose(Span x, int step, BitLoss loss) {
  return {std::min(x.low, cut(x.low, step, loss)), std::max(x.high, cut(x.high, step, loss))};
}

Span plus(Span x, Span y) { return {x.low + y.low, x.high + y.high}; }

double largest(Span x) { return std::max(std::fabs(x.low), std::fabs(x.high)); }

/// The f32 numbers next to a double.
double below(double x) {
  const auto near = float(x);
  return double(near) > x ? double(std::nextafter(near, -std::numeric_limits<float>::infinity())) : double(near);
}
double above(double x) { return -below(-x); }

}  // namespace

bool can_be_replayed(const Unit& unit) {
  return unit.known() && unit.sum == ProductSum::kAligned && unit.group == 1 && !unit.scale && unit.a->bits == 8 &&
         unit.b->bits == 8 && unit.join != AccumulatorJoin::kAdded && unit.exponent == TermExponent::kSum && !unit.flush &&
         unit.product_limit == 0 && unit.d->bits == 32;
}

Replay::Replay(const Unit& unit) : unit_(unit), a_{}, b_{}, order_{} {
  if (!can_be_replayed(unit))
    throw std::invalid_argument("unit " + unit.id + " cannot be replayed: its products are not aligned and added");
  a_ = factors_of(*unit.a), b_ = factors_of(*unit.b);
  order_ = product_order(unit);
  terms_.resize(order_.size());
}

std::array<Replay::Factor, 256> Replay::factors_of(const Format& format) const {
  const int least = (unit_.exponents_in ? *unit_.exponents_in : format).min_exponent();
  std::array<Factor, 256> all;
  for (uint32_t code = 0; code < all.size(); ++code) {
    const double value = decode(format, code);
    all[code] = {value, value == 0 || !std::isfinite(value) ? least : std::max(std::ilogb(value), least)};
  }
  return all;
}

int Replay::exponent_of(Span c) const {
  const double most = largest(c);
  return most == 0 ? unit_.d->min_exponent() : std::max(binade_of(most), unit_.d->min_exponent());
}

int Replay::least_exponent_of(Span c) const {
  if (c.low <= 0 && c.high >= 0) return unit_.d->min_exponent();
  return exponent_of(point(std::min(std::fabs(c.low), std::fabs(c.high))));
}

Replay::Sum Replay::aligned(const Term* terms, int count, int least) const {
  int exponent = std::max(least, unit_.least_exponent);
  for (int i = 0; i < count; ++i)
    if (unit_.zeros_count || terms[i].value != 0) exponent = std::max(exponent, terms[i].exponent);
  // A product is a multiple of 2^(its exponent - fraction bits of both factors), so one with an exponent of `whole` or more loses
  // no bit.
  const int whole = exponent - unit_.fraction_bits + unit_.a->mantissa_bits + unit_.b->mantissa_bits;
  Span sum{0, 0};
  double magnitudes = 0;
  for (int i = 0; i < count; ++i) {
    if (terms[i].value == 0) continue;
    sum = plus(sum, terms[i].exponent >= whole ? point(terms[i].value)
                                               : lose(terms[i].value, exponent - unit_.fraction_bits, unit_.loss));
    magnitudes += std::fabs(terms[i].value);
  }
  // Multiples of one step that stay below 2^53 steps are added exactly; otherwise each addition has an error of at most 2^-53 of
  // the magnitudes.
  const int step = unit_.a->min_exponent() - unit_.a->mantissa_bits + unit_.b->min_exponent() - unit_.b->mantissa_bits;
  const double slack = magnitudes < power_of_two(53 + step) ? 0 : magnitudes * power_of_two(-53) * 2 * count;
  return {{sum.low - slack, sum.high + slack}, exponent};
}

Span Replay::rounded(Span sum, bool to_nearest, int bits) const {
  const auto one = [&](double x) {
    if (x == 0) return x;
    const int step = std::max(binade_of(x), unit_.d->min_exponent()) - bits;
    return to_nearest ? to_nearest_even(x * power_of_two(-step)) * power_of_two(step) : cut(x, step, BitLoss::kTruncate);
  };
  return {std::min(sum.low, one(sum.low)), std::max(sum.high, one(sum.high))};
}

Span Replay::joined(const Term* terms, Span c) {
  const int part = unit_.take / unit_.splits;
  sums_.clear();
  for (int first = 0; first < unit_.take; first += part) sums_.push_back(aligned(terms + first, part, kNoExponent));
  int of_sum = sums_.front().exponent;
  for (const Sum& one : sums_) of_sum = std::max(of_sum, one.exponent);
  Span sum{0, 0};
  for (const Sum& one : sums_)
    sum = plus(sum, unit_.splits > 1 ? lose(one.span, of_sum - unit_.join_fraction_bits, unit_.join_loss) : one.span);
  const int of_c = exponent_of(c), exponent = std::max(of_sum, of_c);
  Span c_part = lose(c, exponent - unit_.c_fraction_bits, unit_.c_loss);
  const bool may_drop = unit_.c_drop != 0 && least_exponent_of(c) < exponent - unit_.c_drop;
  if (may_drop) c_part = {std::min(c_part.low, 0.0), std::max(c_part.high, 0.0)};
  return plus(lose(sum, exponent - unit_.sum_fraction_bits, unit_.c_loss), c_part);
}

Span Replay::block(const Term* terms, Span c) {
  Span sum;
  if (unit_.join == AccumulatorJoin::kJoined) {
    sum = joined(terms, c);
  } else {
    const int of_c = unit_.zeros_count || largest(c) != 0 ? exponent_of(c) : kNoExponent;
    const Sum products = aligned(terms, unit_.take, of_c);
    sum = plus(products.span, lose(c, products.exponent - unit_.fraction_bits, unit_.loss));
  }
  return rounded(sum, unit_.rounding == ResultRounding::kNearestEven, unit_.result_bits);
}

Span Replay::instruction(const std::byte* a, const std::byte* b, int64_t products, Span c) {
  double special = 0;
  for (size_t i = 0; i < order_.size(); ++i) {
    const int k = order_[i];
    const Factor &x = a_[k < products ? size_t(a[k]) : 0], &y = b_[k < products ? size_t(b[k]) : 0];
    terms_[i] = {x.value * y.value, x.exponent + y.exponent};
    if (!std::isfinite(terms_[i].value)) special += terms_[i].value;
  }
  if (!std::isfinite(c.low)) special += c.low;
  if (special != 0) return point(special);
  Span d = unit_.c_last ? Span{0, 0} : c;
  for (size_t i = 0; i < terms_.size(); i += size_t(unit_.take)) d = block(terms_.data() + i, d);
  return unit_.c_last ? rounded(plus(c, d), true, unit_.d->mantissa_bits) : d;
}

Span Replay::chain(const std::byte* a, const std::byte* b, int64_t products) {
  Span c{0, 0};
  for (int64_t k = 0; k < products; k += unit_.k) c = instruction(a + k, b + k, products - k, c);
  return std::isfinite(c.low) ? Span{below(c.low), above(c.high)} : c;
}

}  // namespace assay
