// Included by loops_<isa>.cpp only, each compiled with different flags and its own kLanes; everything has internal linkage, as in
// recipe/lanes_loops.h. Products of a block are 32-bit integers, one column per lane. The steps once per block use doubles and
// are exact: read.cpp rejects rows for which they would not be.
#pragma once

#include "reference/units/lane_steps.h"

namespace assay {
namespace {

/// Products in the order in which the unit takes them: a for one row, b for all lanes.
struct Products {
  const int32_t *a, *a_exponent, *b, *b_exponent;
  int n;
  Ints product(int i) const { return a[i] * load(b + i * kLanes); }
  Ints exponent(int i) const { return a_exponent[i] + load(b_exponent + i * kLanes); }
  Products from(int first, int count) const {
    return {a + first, a_exponent + first, b + first * kLanes, b_exponent + first * kLanes, count};
  }
};

/// Sums of a block for each half of the lanes.
struct Sums {
  Doubles half[2] = {};
  void add(Ints sum) { half[0] += doubles_of(sum, 0), half[1] += doubles_of(sum, 1); }
};

template <bool kNormalized>
Ints largest_exponents(const UnitPlan& plan, const Products& products) {
  Ints most = Ints{} + 4 * kZeroExponent;
  const int point = plan.left_shift + plan.unit->a->mantissa_bits + plan.unit->b->mantissa_bits;
  for (int i = 0; i < products.n; ++i) {
    Ints e = products.exponent(i);
    if constexpr (kNormalized) {
      const Ints p = products.product(i);
      e = p == 0 ? e : e + exponents_of<Ints>(__builtin_convertvector(magnitude(p), Floats)) - point;
    }
    most = larger(most, e);
  }
  return most;
}

/// The sum of the products in units of 2^(largest - fraction_bits).
template <bool kNormalized, bool kFloor>
Sums aligned_sums(const UnitPlan& plan, const Products& products, Ints largest) {
  const Ints base = largest + plan.right_shift, most = Ints{} + 31;
  Sums sums;
  for (int first = 0; first < products.n; first += plan.chunk) {
    Ints sum = {};
    const int end = first + plan.chunk < products.n ? first + plan.chunk : products.n;
    for (int i = first; i < end; ++i) {
      Ints p = products.product(i), shift = base - products.exponent(i);
      if constexpr (kNormalized) p = p << smaller(larger(-shift, Ints{}), most), shift = larger(shift, Ints{});
      shift = smaller(shift, most);
      const Ints sign = p >> 31;
      if constexpr (kFloor)
        sum += p >> shift;
      else
        sum += ((Ints)((Bits)((p ^ sign) - sign) >> (Bits)shift) ^ sign) - sign;
    }
    sums.add(sum);
  }
  return sums;
}

/// T-FDPA: c is one of the terms.
template <bool kNormalized, bool kFloor>
struct AlignedBlock {
  static Floats run(const UnitTask& task, const Products& products, int, int, const Rounder& round, Floats c) {
    const UnitPlan& plan = *task.plan;
    const Unit& unit = *plan.unit;
    const Ints of_c = larger(exponents_of_c(plan, c, unit.zeros_count), Ints{} + unit.least_exponent);
    const Ints largest = larger(largest_exponents<kNormalized>(plan, products), of_c);
    const Sums sums = aligned_sums<kNormalized, kFloor>(plan, products, largest);
    const auto half = [&](int h) {
      return __builtin_convertvector(round(aligned_half(unit, sums.half[h], longs_of(largest, h), doubles_of(c, h))), HalfFloats);
    };
    return whole_of(half(0), half(1));
  }
};

/// TR-FDPA; with several parts GTR-FDPA.
template <bool kNormalized, bool kFloor>
struct JoinedBlock {
  static Floats run(const UnitTask& task, const Products& products, int, int, const Rounder& round, Floats c) {
    const UnitPlan& plan = *task.plan;
    const Unit& unit = *plan.unit;
    Ints exponents[kMostSplits], largest = Ints{} + unit.least_exponent;
    Sums parts[kMostSplits];
    for (int part = 0; part < plan.parts; ++part) {
      const Products own = products.from(part * plan.part, plan.part);
      exponents[part] = larger(largest_exponents<kNormalized>(plan, own), Ints{} + unit.least_exponent);
      parts[part] = aligned_sums<kNormalized, kFloor>(plan, own, exponents[part]);
      largest = part == 0 ? exponents[0] : larger(largest, exponents[part]);
    }
    const Ints of_c = exponents_of_c(plan, c, true);
    const auto half = [&](int h) {
      Doubles sum = parts[0].half[h];
      int bits = unit.fraction_bits;
      if (plan.parts > 1) {
        sum = Doubles{};
        for (int part = 0; part < plan.parts; ++part)
          sum += lost(unit.join_loss, parts[part].half[h] * power(near_enough(longs_of(exponents[part] - largest, h)) +
                                                                  (unit.join_fraction_bits - bits)));
        bits = unit.join_fraction_bits;
      }
      return __builtin_convertvector(
          round(joined_half(unit, sum, bits, longs_of(largest, h), longs_of(of_c, h), doubles_of(c, h))), HalfFloats);
    };
    return whole_of(half(0), half(1));
  }
};

/// GST-FDPA: exact integer sums, aligned by the exponents of their scales.
struct GroupedBlock {
  static Floats run(const UnitTask& task, const Products& products, int row, int block, const Rounder& round, Floats c) {
    const UnitPlan& plan = *task.plan;
    const Unit& unit = *plan.unit;
    const int groups = task.a->steps / unit.group, first = block * plan.parts;
    const double* const a_scale = task.a->group_scale.data() + row * groups + first;
    const int32_t* const a_exponent = task.a->group_exponent.data() + row * groups + first;
    const double* const b_scale = task.b->group_scale.data() + first * kLanes;
    const int32_t* const b_exponent = task.b->group_exponent.data() + first * kLanes;
    Doubles values[kMostGroups][2];
    const Ints of_c = larger(exponents_of_c(plan, c, unit.zeros_count), Ints{} + unit.least_exponent);
    Longs largest[2] = {longs_of(of_c, 0), longs_of(of_c, 1)};
    for (int g = 0; g < plan.parts; ++g) {
      Ints sum = {};
      for (int i = g * plan.part; i < (g + 1) * plan.part; ++i) sum += products.product(i);
      for (int h = 0; h < 2; ++h) {
        const int lane = g * kLanes + h * kHalf;
        values[g][h] = doubles_of(sum, h) * plan.group_unit * (a_scale[g] * *(const DoublesAt*)(b_scale + lane));
        const Longs e = a_exponent[g] + __builtin_convertvector((HalfInts) * (const HalfIntsAt*)(b_exponent + lane), Longs);
        const Longs counts = unit.zeros_count ? e : values[g][h] == 0 ? largest[h] : e;
        largest[h] = counts > largest[h] ? counts : largest[h];
      }
    }
    const auto half = [&](int h) {
      Doubles sum = {};
      const Doubles up = power(unit.fraction_bits - near_enough(largest[h]));
      for (int g = 0; g < plan.parts; ++g) sum += lost(unit.loss, values[g][h] * up);
      return __builtin_convertvector(round(aligned_half(unit, sum, largest[h], doubles_of(c, h))), HalfFloats);
    };
    return whole_of(half(0), half(1));
  }
};

}  // namespace
}  // namespace assay
