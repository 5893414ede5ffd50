#include <algorithm>

#include "harness/probe/draw.h"
#include "harness/probe/parameter_lists.h"

namespace assay {
std::vector<UnitParameter> parameters_of_results() {
  return {
      {"fraction bits of a joined c",
       "c",
       {"kept", "addend"},
       [](const Instruction&, const Unit& u) { return joined(u) ? range(1, kMostJoinFraction) : std::vector<int>{}; },
       [](const Unit& u) { return u.c_fraction_bits; },
       [](Unit& u, int v) { u.c_fraction_bits = v; },
       true},
      {"how sum and c lose bits",
       "c",
       {"kept", "addend"},
       [](const Instruction&, const Unit& u) {
         return joined(u) ? std::vector<int>{0, 1} : std::vector<int>{};
       },
       [](const Unit& u) { return int(u.c_loss == BitLoss::kFloor); },
       [](Unit& u, int v) { u.c_loss = v != 0 ? BitLoss::kFloor : BitLoss::kTruncate; },
       false},
      {"a c so far below counts as 0",
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
      {"fraction bits of a joined sum",
       "c",
       {"ties", "addend"},
       [](const Instruction&, const Unit& u) { return joined(u) ? range(1, kMostJoinFraction) : std::vector<int>{}; },
       [](const Unit& u) { return u.sum_fraction_bits; },
       [](Unit& u, int v) { u.sum_fraction_bits = v; },
       true},
  };
}

}  // namespace assay
