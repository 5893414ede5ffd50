// Computes tensor core instructions in exact numbers n * 2^e.
#include "reference/units/unit_definition.h"

#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "reference/units/unit.h"

namespace assay {

/// et_off: operators return numbers, not expression templates, so both branches of a conditional have the same type.
using Integer = boost::multiprecision::number<boost::multiprecision::cpp_int_backend<>, boost::multiprecision::et_off>;

class Dyadic {
 public:
  Dyadic() = default;
  /// The exact value of a finite double.
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

  /// This number in units of 2^step, as an integer; `loss` says how the remainder is removed.
  Integer steps(int step, BitLoss loss) const {
    if (e_ >= step) return n_ << (e_ - step);
    const Integer magnitude = abs(n_) >> (step - e_);
    if (n_ >= 0) return magnitude;
    const bool whole = magnitude << (step - e_) == abs(n_);
    return loss == BitLoss::kTruncate || whole ? -magnitude : -magnitude - 1;
  }

  /// This number in units of 2^step, rounded to the nearest integer, ties to even.
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

namespace {

/// Exponent of an operand for the alignment: floor(log2 |x|); for subnormals and zero, that of the smallest normal number.
int exponent_in(const Format& format, double x) {
  return x == 0 ? format.min_exponent() : std::max(Dyadic(x).exponent(), format.min_exponent());
}

struct Factor {
  double value = 0, scale = 1;
  int exponent = 0, scale_exponent = 0;
};

Factor factor(const Unit& unit, const Format& format, uint32_t code, std::span<const uint32_t> scales, int k) {
  Factor f;
  f.value = decode(format, code);
  if (unit.flush && std::fabs(f.value) < std::ldexp(1.0, format.min_exponent())) f.value = 0;
  if (std::isfinite(f.value) && !format.is_integer())
    f.exponent = exponent_in(unit.exponents_in ? *unit.exponents_in : format, f.value);
  if (!unit.scale) return f;
  f.scale = decode(*unit.scale, uint32_t(scales[size_t(k / unit.scale_block)] & (unit.scale->code_count() - 1)));
  if (std::isfinite(f.scale)) f.scale_exponent = exponent_in(*unit.scale, f.scale);
  return f;
}

struct Product {
  Factor a, b;
  bool finite() const { return std::isfinite(a.value * a.scale) && std::isfinite(b.value * b.scale); }
  Dyadic exact() const { return Dyadic(a.value) * Dyadic(b.value); }
  Dyadic scales() const { return Dyadic(a.scale) * Dyadic(b.scale); }
  int scale_exponent() const { return a.scale_exponent + b.scale_exponent; }
};

/// The sum of all terms that are NaN or Inf; 0 if all terms are finite.
double special_sum(const Unit& unit, std::span<const Product> products, double c) {
  double sum = std::isfinite(c) ? 0 : c;
  for (const Product& p : products) {
    if (!p.finite()) {
      sum += p.a.value * p.a.scale * (p.b.value * p.b.scale);
      continue;
    }
    const Dyadic exact = p.exact() * p.scales();
    if (unit.product_limit != 0 && !exact.is_zero() && exact.exponent() >= unit.product_limit)
      sum += exact.is_negative() ? -HUGE_VAL : HUGE_VAL;
  }
  return sum;
}

struct Term {
  Dyadic value;
  int exponent;
};

/// Terms of an aligned sum: one per product, or one per group.
std::vector<Term> terms_of(const Unit& unit, std::span<const Product> products) {
  std::vector<Term> terms;
  for (size_t i = 0; i < products.size(); i += size_t(unit.group)) {
    Dyadic sum;
    for (const Product& p : products.subspan(i, size_t(unit.group))) sum = sum + p.exact();
    const Product& first = products[i];
    Term term{sum * first.scales(), first.scale_exponent()};
    if (unit.exponent == TermExponent::kSum) term.exponent += first.a.exponent + first.b.exponent;
    if (unit.exponent == TermExponent::kNormalized)
      term.exponent = term.value.is_zero() ? first.a.exponent + first.b.exponent + first.scale_exponent() : term.value.exponent();
    terms.push_back(std::move(term));
  }
  return terms;
}

int largest_exponent(const Unit& unit, std::span<const Term> terms) {
  int largest = unit.least_exponent;
  for (const Term& term : terms)
    if (unit.zeros_count || !term.value.is_zero()) largest = std::max(largest, term.exponent);
  return largest;
}

/// Converts each term to an integer in units of 2^(largest - fraction_bits), and adds these integers.
Dyadic aligned_sum(std::span<const Term> terms, int largest, int fraction_bits, BitLoss loss) {
  Integer sum = 0;
  for (const Term& term : terms) sum += term.value.steps(largest - fraction_bits, loss);
  return {sum, largest - fraction_bits};
}

/// Rounds to d, to nearest or toward zero; Inf on overflow. A zero result is +0, unless `keeps_sign`.
double rounded(const Unit& unit, const Dyadic& x, ResultRounding rounding, int bits, bool keeps_sign = false) {
  if (x.is_zero()) return 0;
  const int least = unit.d->min_exponent(), step = std::max(x.exponent(), least) - bits;
  const Integer n = rounding == ResultRounding::kTowardZero ? x.steps(step, BitLoss::kTruncate) : x.nearest_steps(step);
  double value = std::ldexp(double(n), step);
  const int highest = Dyadic(max_finite(*unit.d)).exponent();
  if (n != 0 && Dyadic(n, step).exponent() > highest) value = x.is_negative() ? -HUGE_VAL : HUGE_VAL;
  if (unit.flush && std::fabs(value) < std::ldexp(1.0, least)) value = 0;
  if (value == 0) return keeps_sign && x.is_negative() ? -0.0 : 0.0;
  return value;
}

/// Appends terms to `seen`, unless it is null. first >= 0: the terms are products or groups from seen->ks[first] on.
void see(UnitBlockSeen* seen, const Unit& unit, std::span<const Term> terms, int first, int largest, int fraction_bits,
         BitLoss loss) {
  if (!seen) return;
  for (size_t i = 0; i < terms.size(); ++i) {
    const Dyadic kept(terms[i].value.steps(largest - fraction_bits, loss), largest - fraction_bits);
    const int k = first < 0 ? -1 : seen->ks[size_t(first) + i * size_t(unit.group)];
    seen->terms.push_back({k, false, terms[i].value.value(), terms[i].exponent, kept.value()});
  }
}

void see_sum(UnitBlockSeen* seen, int largest, const Dyadic& sum) {
  if (seen) seen->largest = largest, seen->sum = sum.value();
}

double aligned_block(const Unit& unit, std::span<const Product> products, double c, UnitBlockSeen* seen) {
  std::vector<Term> terms = terms_of(unit, products);
  const size_t factors = terms.size();
  terms.push_back({Dyadic(c), exponent_in(*unit.d, c)});
  const int largest = largest_exponent(unit, terms);
  const Dyadic sum = aligned_sum(terms, largest, unit.fraction_bits, unit.loss);
  see(seen, unit, std::span(terms).first(factors), 0, largest, unit.fraction_bits, unit.loss);
  see(seen, unit, std::span(terms).last(1), -1, largest, unit.fraction_bits, unit.loss);
  if (seen) seen->terms.back().is_c = true;
  see_sum(seen, largest, sum);
  return rounded(unit, sum, unit.rounding, unit.result_bits);
}

double joined_block(const Unit& unit, std::span<const Product> products, double c, UnitBlockSeen* seen) {
  const size_t part = products.size() / size_t(unit.splits);
  std::vector<Term> sums;
  for (size_t i = 0; i < products.size(); i += part) {
    const std::vector<Term> terms = terms_of(unit, products.subspan(i, part));
    const int largest = largest_exponent(unit, terms);
    sums.push_back({aligned_sum(terms, largest, unit.fraction_bits, unit.loss), largest});
    see(seen, unit, terms, int(i), largest, unit.fraction_bits, unit.loss);
  }
  int of_sum = sums[0].exponent;
  Dyadic sum = sums[0].value;
  if (unit.splits > 1) {
    for (const Term& one : sums) of_sum = std::max(of_sum, one.exponent);
    sum = aligned_sum(sums, of_sum, unit.join_fraction_bits, unit.join_loss);
    see(seen, unit, sums, -1, of_sum, unit.join_fraction_bits, unit.join_loss);
  }
  const int of_c = exponent_in(*unit.d, c), largest = std::max(of_sum, of_c);
  const bool dropped = unit.c_drop != 0 && of_c < largest - unit.c_drop;
  const Dyadic sum_part(sum.steps(largest - unit.sum_fraction_bits, unit.c_loss), largest - unit.sum_fraction_bits);
  const Dyadic c_part(dropped ? 0 : Dyadic(c).steps(largest - unit.c_fraction_bits, unit.c_loss), largest - unit.c_fraction_bits);
  if (seen) {
    seen->terms.push_back({-1, false, sum.value(), of_sum, sum_part.value()});
    seen->terms.push_back({-1, true, c, of_c, c_part.value()});
  }
  see_sum(seen, largest, sum_part + c_part);
  return rounded(unit, sum_part + c_part, unit.rounding, unit.result_bits);
}

/// One IEEE 754 addition in format d.
double added(const Unit& unit, double x, double y) {
  if (!std::isfinite(x) || !std::isfinite(y) || (x == 0 && y == 0)) return x + y;
  return rounded(unit, Dyadic(x) + Dyadic(y), ResultRounding::kNearestEven, unit.d->mantissa_bits, true);
}

double tree(const Unit& unit, std::span<const Product> products) {
  if (products.size() > 1) {
    const size_t half = products.size() / 2;
    return added(unit, tree(unit, products.first(half)), tree(unit, products.subspan(half)));
  }
  const Product& p = products[0];
  if (!p.finite()) return p.a.value * p.b.value;
  return rounded(unit, p.exact(), ResultRounding::kNearestEven, unit.d->mantissa_bits, true);
}

double block(const Unit& unit, std::span<const Product> products, double c, UnitBlockSeen* seen) {
  if (unit.sum == ProductSum::kPairs) return added(unit, c, tree(unit, products));
  if (unit.sum == ProductSum::kExact) {
    int64_t sum = int64_t(c);
    for (const Product& p : products) sum += int64_t(p.a.value) * int64_t(p.b.value);
    return double(int32_t(uint32_t(sum)));
  }
  const double special = special_sum(unit, products, c);
  if (special != 0) return special;
  return unit.join == AccumulatorJoin::kJoined ? joined_block(unit, products, c, seen) : aligned_block(unit, products, c, seen);
}

/// One instruction; `first` is the k of its first product. Records its blocks in `seen`, unless that is null.
double instruction(const Unit& unit, const UnitElement& element, int first, double c, std::vector<UnitBlockSeen>* seen) {
  std::vector<Product> products;
  std::vector<int> ks;
  for (const int k : product_order(unit)) {
    const size_t i = size_t(first + k);
    const auto code = [&](std::span<const uint32_t> codes) { return i < codes.size() ? codes[i] : 0u; };
    const int scaled = std::min(first + k, int(element.a.size()) - 1);  // a padding zero has the scale of the last element
    products.push_back({factor(unit, *unit.a, code(element.a), element.a_scales, scaled),
                        factor(unit, *unit.b, code(element.b), element.b_scales, scaled)});
    ks.push_back(first + k);
  }
  if (unit.flush && std::fabs(c) < std::ldexp(1.0, unit.d->min_exponent())) c = 0;
  double d = unit.c_last ? 0 : c;
  for (size_t i = 0; i < products.size(); i += size_t(unit.take)) {
    UnitBlockSeen one{{ks.begin() + std::ptrdiff_t(i), ks.begin() + std::ptrdiff_t(i) + unit.take}, d, {}, 0, 0, 0};
    d = block(unit, std::span(products).subspan(i, size_t(unit.take)), d, seen ? &one : nullptr);
    one.d = d;
    if (seen) seen->push_back(std::move(one));
  }
  if (!unit.c_last) return d;
  const double sum = added(unit, c, d);
  if (seen) seen->push_back({{}, c, {}, 0, d, sum});
  return sum;
}

/// Runs all instructions of an element, and returns its value.
double element_value(const Unit& unit, const UnitElement& element, uint32_t c, std::vector<UnitBlockSeen>* seen) {
  if (!unit.known()) throw std::invalid_argument("unit " + unit.id + " is unknown: nothing is predicted for it");
  const size_t scales = unit.scale ? (element.a.size() + size_t(unit.scale_block) - 1) / size_t(unit.scale_block) : 0;
  if (element.a.size() != element.b.size() || element.a_scales.size() != scales || element.b_scales.size() != scales)
    throw std::invalid_argument("unit " + unit.id + ": a and b must have the same number of codes, and one scale per block");
  double d = decode(*unit.d, c);
  for (size_t first = 0; first < element.a.size(); first += size_t(unit.k)) d = instruction(unit, element, int(first), d, seen);
  return d;
}

}  // namespace

uint32_t defined_element(const Unit& unit, const UnitElement& element, uint32_t c) {
  const double d = element_value(unit, element, c, nullptr);
  return std::isnan(d) ? unit.nan : code_of(*unit.d, d);
}

std::vector<UnitBlockSeen> seen_element(const Unit& unit, const UnitElement& element, uint32_t c) {
  std::vector<UnitBlockSeen> seen;
  (void)element_value(unit, element, c, &seen);
  return seen;
}

}  // namespace assay
