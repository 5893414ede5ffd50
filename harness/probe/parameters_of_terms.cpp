#include <algorithm>

#include "harness/probe/draw.h"
#include "harness/probe/parameter_lists.h"

namespace assay {
namespace {

/// The exponent that a term is aligned by. Upper bits: index in exponent_formats(), from 1.
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
      {"fraction bits and exponent of a term",
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
      {"fraction bits of a term",
       "sum",
       {"kept"},
       [](const Instruction&, const Unit& u) {
         return aligned(u) ? range(1, u.group > 1 ? kMostGroupFraction : kMostFraction) : std::vector<int>{};
       },
       [](const Unit& u) { return u.fraction_bits; },
       [](Unit& u, int v) { u.fraction_bits = v; },
       true},
      {"how bits are lost",
       "sum",
       {"kept"},
       [](const Instruction&, const Unit& u) {
         return aligned(u) ? std::vector<int>{0, 1} : std::vector<int>{};
       },
       [](const Unit& u) { return int(u.loss == BitLoss::kFloor); },
       [](Unit& u, int v) { u.loss = v != 0 ? BitLoss::kFloor : BitLoss::kTruncate; },
       false},
      {"exponent of a term",
       "exponent",
       {"kept", "subnormal"},
       [](const Instruction&, const Unit& u) { return exponents(u); },
       exponent_of,
       set_exponent,
       false},
      {"fraction bits of joined parts",
       "sum",
       {"kept", "wide"},
       [](const Instruction&, const Unit& u) { return u.splits > 1 ? range(1, kMostJoinFraction) : std::vector<int>{}; },
       [](const Unit& u) { return u.join_fraction_bits; },
       [](Unit& u, int v) { u.join_fraction_bits = v; },
       true},
      {"how joined parts lose bits",
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

}  // namespace assay
