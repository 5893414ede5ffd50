#include <algorithm>

#include "harness/probe/draw.h"
#include "harness/probe/orders.h"
#include "harness/probe/parameter_lists.h"

namespace assay {
namespace {

/// Exponents that a term or c can have.
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
      {"zeros in the largest exponent",
       "exponent",
       {"zeros"},
       [](const Instruction&, const Unit& u) {
         return aligned(u) ? std::vector<int>{0, 1} : std::vector<int>{};
       },
       [](const Unit& u) { return int(u.zeros_count); },
       [](Unit& u, int v) { u.zeros_count = v != 0; },
       false},
      {"least of the largest exponent",
       "exponent",
       {"alone", "tiny", "least"},
       term_exponents,
       [](const Unit& u) { return u.least_exponent; },
       [](Unit& u, int v) { u.least_exponent = v; },
       true},
      {"when c is added",
       "c",
       {"wide", "near_one"},
       [](const Instruction&, const Unit& u) {
         return aligned(u) ? std::vector<int>{0, 1} : std::vector<int>{};
       },
       [](const Unit& u) { return int(u.c_last); },
       [](Unit& u, int v) { u.c_last = v != 0; },
       false},
      {"products that are one term",
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

}  // namespace assay
