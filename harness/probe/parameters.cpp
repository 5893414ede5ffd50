#include <algorithm>
#include <set>

#include "harness/probe/fit.h"
#include "harness/probe/probe_data.h"

namespace assay {
namespace {

// Candidate orders in which an instruction accumulates its products.

/// For each k: the number of the part that adds the product of k. Parts are numbered over all blocks.
std::vector<int> parts_of(const UnitOrder& order, int k) {
  Unit unit;
  unit.k = k;
  set_order(unit, order);
  const std::vector<int> places = product_order(unit);
  std::vector<int> part(places.size());
  for (size_t i = 0; i < places.size(); ++i) part[size_t(places[i])] = int(i) / (order.take / order.splits);
  return part;
}

}  // namespace

std::vector<UnitOrder> unit_orders(int k, bool of_trees, int most_splits) {
  std::vector<UnitOrder> all;
  std::set<std::vector<int>> seen;
  const auto add = [&](const UnitOrder& order) {
    std::vector<int> key = parts_of(order, k);
    key.push_back(order.take);
    if (of_trees) key.insert(key.end(), {order.interleave_period, order.interleave_width});
    if (seen.insert(key).second) all.push_back(order);
  };
  for (int take = std::min(k, kMostTaken); take > 0; --take) {
    if (k % take != 0 || (of_trees && (take & (take - 1)) != 0)) continue;
    for (int splits = 1; splits <= most_splits; ++splits) {
      if (take % splits != 0) continue;
      add({0, 0, take, splits});
      for (int period = 2; period <= k; ++period)
        for (int width = period / 2; width > 0; --width)
          if (k % period == 0 && period % width == 0) add({period, width, take, splits});
    }
  }
  return all;
}

void set_order(Unit& unit, const UnitOrder& order) {
  unit.interleave_period = order.interleave_period, unit.interleave_width = order.interleave_width;
  unit.take = order.take, unit.splits = order.splits;
}

std::vector<int> alike_places(const Unit& unit) {
  const std::vector<int> order = product_order(unit);
  const int part = unit.sum == ProductSum::kPairs ? std::min(2, unit.take) : unit.take / unit.splits;
  std::vector<int> first(order.size());
  for (size_t begin = 0; begin < order.size(); begin += size_t(part)) {
    const auto at = order.begin() + std::ptrdiff_t(begin);
    const int least = *std::min_element(at, at + part);
    for (int i = 0; i < part; ++i) first[size_t(at[i])] = least;
  }
  return first;
}

namespace {

/// Unit::exponent (bits 0 to 3) and Unit::exponents_in (bits from 4 on: 1 + index in exponent_formats(), or 0) as one number.
int exponent_of(const Unit& u) {
  const std::vector<const Format*> formats = exponent_formats(*u.a, *u.b);
  const auto at = std::find(formats.begin(), formats.end(), u.exponents_in);
  return int(u.exponent) | (at == formats.end() ? 0 : int(at - formats.begin()) + 1) << 4;
}

void set_exponent(Unit& u, int value) {
  u.exponent = TermExponent(value & 15);
  u.exponents_in = value >> 4 == 0 ? nullptr : exponent_formats(*u.a, *u.b)[size_t(value >> 4) - 1];
}

std::vector<int> exponents(const Unit& u) {
  if (!aligned(u) || u.group > 1) return {};
  std::vector<int> all = {int(TermExponent::kSum), int(TermExponent::kNormalized)};
  for (size_t i = 0; i < exponent_formats(*u.a, *u.b).size(); ++i) all.push_back(int(TermExponent::kSum) | int(i + 1) << 4);
  return all;
}

}  // namespace

std::vector<UnitParameter> parameters_of_terms() {
  return {
      {"products that are Inf",
       "special",
       {"alone", "huge", "bits"},
       [](const Instruction& i, const Unit& u) {
         if (!aligned(u) || u.group > 1) return std::vector<int>{};
         return and_none(range(1, top_exponent(*i.a) + top_exponent(*i.b) + 1), 0);
       },
       [](const Unit& u) { return u.product_limit; },
       [](Unit& u, int v) { u.product_limit = v; },
       true},
      {"subnormals",
       "special",
       {"alone", "tiny"},
       [](const Instruction& i, const Unit&) {
         return i.integers() ? std::vector<int>{} : std::vector<int>{0, 1};
       },
       [](const Unit& u) { return int(u.flush); },
       [](Unit& u, int v) { u.flush = v != 0; },
       false},
      {"number of fraction bits that a term keeps, and exponent by which it is aligned",
       "sum",
       {"kept"},
       [](const Instruction&, const Unit& u) {
         std::vector<int> all;
         for (const int exponent : exponents(u))
           for (const int bits : range(1, kMostFraction)) all.push_back(exponent << 8 | bits);
         return all;
       },
       [](const Unit& u) { return exponent_of(u) << 8 | u.fraction_bits; },
       [](Unit& u, int v) { set_exponent(u, v >> 8), u.fraction_bits = v & 0xff; },
       false,
       true},
      {"number of fraction bits that a term keeps",
       "sum",
       {"kept"},
       [](const Instruction&, const Unit& u) {
         return aligned(u) ? range(1, u.group > 1 ? kMostGroupFraction : kMostFraction) : std::vector<int>{};
       },
       [](const Unit& u) { return u.fraction_bits; },
       [](Unit& u, int v) { u.fraction_bits = v; },
       true},
      {"how the lower bits of a term are cut off",
       "sum",
       {"kept"},
       [](const Instruction&, const Unit& u) {
         return aligned(u) ? std::vector<int>{0, 1} : std::vector<int>{};
       },
       [](const Unit& u) { return int(u.loss == BitLoss::kFloor); },
       [](Unit& u, int v) { u.loss = v != 0 ? BitLoss::kFloor : BitLoss::kTruncate; },
       false},
      {"exponent by which a term is aligned",
       "exponent",
       {"kept", "subnormal"},
       [](const Instruction&, const Unit& u) { return exponents(u); },
       exponent_of,
       set_exponent,
       false},
      {"fraction bits of the sums of split(N) when they are added",
       "sum",
       {"kept", "wide"},
       [](const Instruction&, const Unit& u) { return u.splits > 1 ? range(1, kMostJoinFraction) : std::vector<int>{}; },
       [](const Unit& u) { return u.join_fraction_bits; },
       [](Unit& u, int v) { u.join_fraction_bits = v; },
       true},
      {"how bits of the sums of split(N) are cut off when they are added",
       "sum",
       {"kept", "wide"},
       [](const Instruction&, const Unit& u) {
         return u.splits > 1 ? std::vector<int>{0, 1} : std::vector<int>{};
       },
       [](const Unit& u) { return int(u.join_loss == BitLoss::kFloor); },
       [](Unit& u, int v) { u.join_loss = v != 0 ? BitLoss::kFloor : BitLoss::kTruncate; },
       false},
  };
}

namespace {

/// Values of a parameter that is an exponent of a term or c; kNoExponent is one of them.
std::vector<int> term_exponents(const Instruction& i, const Unit& u) {
  if (!aligned(u)) return {};
  const int scale = i.scale ? i.scale->min_exponent() * 2 : 0;
  const int low = std::min(i.a->min_exponent() + i.b->min_exponent() + scale, i.d->min_exponent()) - 1;
  return and_none(range(std::max(low, -300), std::min(top_exponent(*i.a) + top_exponent(*i.b), 40)), kNoExponent);
}

constexpr int kOrderBits = 11;

}  // namespace

std::vector<UnitParameter> parameters_of_sums() {
  return {
      {"whether the exponent of a zero can be the largest exponent",
       "exponent",
       {"zeros"},
       [](const Instruction&, const Unit& u) {
         return aligned(u) ? std::vector<int>{0, 1} : std::vector<int>{};
       },
       [](const Unit& u) { return int(u.zeros_count); },
       [](Unit& u, int v) { u.zeros_count = v != 0; },
       false},
      {"lower bound of the largest exponent, by which terms are aligned",
       "exponent",
       {"alone", "tiny", "least"},
       term_exponents,
       [](const Unit& u) { return u.least_exponent; },
       [](Unit& u, int v) { u.least_exponent = v; },
       true},
      {"whether c is added after the products",
       "c",
       {"wide", "near_one"},
       [](const Instruction&, const Unit& u) {
         return aligned(u) ? std::vector<int>{0, 1} : std::vector<int>{};
       },
       [](const Unit& u) { return int(u.c_last); },
       [](Unit& u, int v) { u.c_last = v != 0; },
       false},
      {"number of products that form one term",
       "sum",
       {"wide", "far_scales", "bits"},
       [](const Instruction& i, const Unit& u) {
         std::vector<int> all;
         if (u.group > 1)
           for (const int group : {16, 8, 4, 2})
             if (u.take % group == 0 && i.scale_block % group == 0) all.push_back(group);
         return all;
       },
       [](const Unit& u) { return u.group; },
       [](Unit& u, int v) { u.group = v; },
       false},
      {"order of products",
       "order",
       {"wide", "kept"},
       [](const Instruction& i, const Unit& u) {
         std::vector<int> all;
         for (const UnitOrder& order : unit_orders(i.k, u.sum == ProductSum::kPairs, u.splits)) {
           if (order.splits != u.splits || order.take % u.group != 0 || (u.group > 1 && order.interleave_period != 0)) continue;
           all.push_back((order.interleave_period << kOrderBits | order.interleave_width) << kOrderBits | order.take);
         }
         return all;
       },
       [](const Unit& u) { return (u.interleave_period << kOrderBits | u.interleave_width) << kOrderBits | u.take; },
       [](Unit& u, int v) {
         constexpr int kMask = (1 << kOrderBits) - 1;
         u.take = v & kMask, u.interleave_width = v >> kOrderBits & kMask, u.interleave_period = v >> 2 * kOrderBits;
       },
       false},
  };
}

std::vector<UnitParameter> parameters_of_results() {
  return {
      {"fraction bits of c when it is added to the finished sum",
       "c",
       {"kept", "addend"},
       [](const Instruction&, const Unit& u) { return joined(u) ? range(1, kMostJoinFraction) : std::vector<int>{}; },
       [](const Unit& u) { return u.c_fraction_bits; },
       [](Unit& u, int v) { u.c_fraction_bits = v; },
       true},
      {"how bits are cut off when c is added to the sum",
       "c",
       {"kept", "addend"},
       [](const Instruction&, const Unit& u) {
         return joined(u) ? std::vector<int>{0, 1} : std::vector<int>{};
       },
       [](const Unit& u) { return int(u.c_loss == BitLoss::kFloor); },
       [](Unit& u, int v) { u.c_loss = v != 0 ? BitLoss::kFloor : BitLoss::kTruncate; },
       false},
      {"how far c may lie below the sum before it counts as 0",
       "c",
       {"kept", "addend"},
       [](const Instruction&, const Unit& u) { return joined(u) ? and_none(range(1, 60), 0) : std::vector<int>{}; },
       [](const Unit& u) { return u.c_drop; },
       [](Unit& u, int v) { u.c_drop = v; },
       true},
      {"rounding and fraction bits of the result",
       "round",
       {"ties", "near_one"},
       [](const Instruction& i, const Unit& u) {
         std::vector<int> all;
         for (const int rounding : {int(ResultRounding::kTowardZero), int(ResultRounding::kNearestEven)})
           for (int bits = aligned(u) ? i.d->mantissa_bits : 0; bits > 0; --bits) all.push_back(rounding << 8 | bits);
         return all;
       },
       [](const Unit& u) { return int(u.rounding) << 8 | u.result_bits; },
       [](Unit& u, int v) { u.rounding = ResultRounding(v >> 8), u.result_bits = v & 0xff; },
       false,
       true},
      {"rounding of the result",
       "round",
       {"ties", "near_one"},
       [](const Instruction&, const Unit& u) {
         return aligned(u) ? std::vector<int>{int(ResultRounding::kTowardZero), int(ResultRounding::kNearestEven)}
                           : std::vector<int>{};
       },
       [](const Unit& u) { return int(u.rounding); },
       [](Unit& u, int v) { u.rounding = ResultRounding(v); },
       false},
      {"fraction bits of the result",
       "round",
       {"ties", "near_one"},
       [](const Instruction& i, const Unit& u) {
         std::vector<int> all = aligned(u) ? range(1, i.d->mantissa_bits) : std::vector<int>{};
         std::reverse(all.begin(), all.end());
         return all;
       },
       [](const Unit& u) { return u.result_bits; },
       [](Unit& u, int v) { u.result_bits = v; },
       true},
      {"fraction bits of the sum when c is added",
       "c",
       {"ties", "addend"},
       [](const Instruction&, const Unit& u) { return joined(u) ? range(1, kMostJoinFraction) : std::vector<int>{}; },
       [](const Unit& u) { return u.sum_fraction_bits; },
       [](Unit& u, int v) { u.sum_fraction_bits = v; },
       true},
  };
}

// The free parameters of a tensor core model: their values and the inputs that decide them.

std::span<const UnitParameter> unit_parameters() {
  static const std::vector<UnitParameter> all = [] {
    std::vector<UnitParameter> list = parameters_of_terms();
    for (const auto& more : {parameters_of_results(), parameters_of_sums()}) list.insert(list.end(), more.begin(), more.end());
    return list;
  }();
  return all;
}

Unit plain_unit(const Instruction& i) {
  Unit u;
  u.id = "probed";
  u.a = i.a, u.b = i.b, u.d = i.d, u.k = i.k;
  u.take = std::min(i.k, kMostTaken);
  u.scale = i.scale, u.scale_block = i.scale_block;
  u.nan = i.integers() ? 0 : code_of(*i.d, __builtin_nan(""));
  if (i.integers()) {
    u.sum = ProductSum::kExact, u.join = AccumulatorJoin::kAdded, u.rounding = ResultRounding::kWrap;
    return u;
  }
  u.fraction_bits = 24;
  u.result_bits = i.d->mantissa_bits;
  u.rounding = i.d->bits == 16 ? ResultRounding::kNearestEven : ResultRounding::kTowardZero;
  return u;
}

}  // namespace assay
