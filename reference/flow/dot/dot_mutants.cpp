// Mutants of GEMM contracts: of the instruction, of scales, and of the result; and contracts with an undocumented kernel or
// instruction.
#include "reference/flow/dot/dot_mutants.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <stdexcept>
#include <tuple>

#include "reference/contracts/contract_rows.h"
#include "reference/flow/dot/dot_contract.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "reference/recipe/eval.h"
#include "reference/recipe/recipe.h"
#include "reference/units/unit_recordings.h"
#include "reference/units/unit_table.h"

namespace assay {
namespace {

using dot::Edits;
using dot::Steps;

void edit_unit(const DotContract& right, const UnitTable& units, Edits& edits) {
  for (UnitNeighbour& wrong : unit_neighbours(*right.unit_row)) {
    // Leaves out mutants that change only which NaN code the instruction returns: later steps do not keep it.
    const bool another_nan = wrong.row.unit.nan != right.unit.nan;
    if (!another_nan) edits.add("unit " + wrong.name, [&](DotNeighbour& edited) { edited.contract.unit = wrong.row.unit; });
  }
  const std::string& id = right.unit_row->id;
  const std::string narrow = id.substr(0, id.rfind('.')) + ".f16";
  for (const UnitRow& row : units.rows())
    if (row.id == narrow && row.id != id && row.unit.known() && *row.unit.a == *right.unit.a)
      edits.add("unit: sums in f16", [&](DotNeighbour& edited) { edited.contract.unit = row.unit; });
  dot::edit_codes(right, edits);
}

/// Mutants that promote after another number of instructions, as other kernels do, or never. If an interval spans two blocks of
/// scales, the scales of its first block apply.
void edit_promotion(const DotContract& right, Edits& edits) {
  if (right.of_integers()) return;
  const auto words = [](int64_t promote) {
    return promote == 0 ? std::string("none") : "every(" + std::to_string(promote) + ")";
  };
  for (const int64_t instructions : {0, 1, 2, 4, 8}) {
    const bool joins_scales = right.joins_scales();
    if (instructions == 0 && joins_scales) continue;
    const int64_t promote = instructions * right.unit.k;
    edits.add_programs("promote: " + words(right.promote) + " -> " + words(promote), [&](DotContract& wrong) {
      wrong.promote = promote;
      if (!joins_scales) wrong.join = promote > 0 ? plain_join() : Steps();
    });
  }
}

/// Mutants of `one_block`: the scales are applied in another order, or one is left out. Leaves out orders that change only the
/// sign of a zero.
void edit_one_block(const DotContract& right, Edits& edits) {
  const auto add = [&](const std::string& name, const Steps& steps) {
    if (text_of(steps) != text_of(right.one_block))
      edits.add("one_block: " + name, [&](DotNeighbour& wrong) { wrong.contract.one_block = wrong.contract.join = steps; });
  };
  const auto times = [](const char* operand) { return CellStep::made("mul", {operand}); };
  add(text_of(right.one_block) + " -> mul(sa*sb)", {times("sa*sb")});
  add("sa is left out", {times("sb")});
  add("sb is left out", {times("sa")});
}

/// Mutants of `join`: block scales and acc are combined in another order, or one scale is left out.
void edit_join(const DotContract& right, Edits& edits) {
  const auto add = [&](const std::string& name, const Steps& join) {
    if (text_of(join) != text_of(right.join)) edits.add(name, [&](DotNeighbour& wrong) { wrong.contract.join = join; });
  };
  for (const Steps& join : block_joins()) add("join: " + text_of(right.join) + " -> " + text_of(join), join);
  add("join: sa is left out", {CellStep::made("fma", {"sb", "acc"})});
  add("join: sb is left out", {CellStep::made("fma", {"sa", "acc"})});
}

void edit_split(const DotContract& right, int64_t k, const Format& y, Edits& edits) {
  if (right.of_integers()) return;
  constexpr int kTile = 4;  // instructions per tile along k, if the row does not define it
  const int64_t part_of = right.part_of > 0 ? right.part_of : kTile * right.unit.k;
  DotContract cut = right;
  cut.least_parts = cut.most_parts = 2;
  cut.part_of = part_of;
  const bool can_be_cut = dot_programs(cut, k).front().part < k;
  if (!can_be_cut) return;
  if (right.has_atomics()) {
    edits.add("split: parts are added in f32", [&](DotNeighbour& wrong) { wrong.contract.part_sums = PartSums::kF32; });
    // In most data it has the effect of the mutant above; a report names both.
    edits.add("split: k is not split", [](DotNeighbour& wrong) { wrong.contract.least_parts = wrong.contract.most_parts = 1; });
    edits.all.back().suspect = true;
  }
  const int64_t period = right.orders.empty() ? 1 : right.orders.front().period();
  if (right.part_of % period != 0) {
    const int64_t whole = std::lcm(right.part_of, period);
    edits.add_programs("split: of(" + std::to_string(right.part_of) + ") -> of(" + std::to_string(whole) + ")",
                       [&](DotContract& wrong) { wrong.part_of = whole; });
  }
  if (right.most_parts == 1)
    edits.add_programs("split: none -> parts(2) of(" + std::to_string(part_of) + ")", [&](DotContract& wrong) { wrong = cut; });
  edits.add("split: the last of two parts is lost", [&](DotNeighbour& wrong) {
    wrong.contract = cut;
    wrong.contract.last_parts_left_out = 1;
  });
  if (!(y == kF32) && !right.has_atomics())
    edits.add("split: two parts are added in " + std::string(y.name), [&](DotNeighbour& wrong) {
      wrong.contract = cut;
      wrong.contract.part_sums = PartSums::kResults;
    });
}

/// Mutants: k is ascending although the row defines another order; subnormals are kept although the build flushes them.
void edit_order_and_flush(const DotContract& right, Edits& edits) {
  if (!right.orders.empty() && !right.of_integers())
    edits.add("k_order: " + right.orders.front().text() + " -> ascending", [](DotNeighbour& wrong) {
      DotContract& contract = wrong.contract;
      contract.orders.clear();
      const int64_t k = contract.unit.k;
      if (contract.part_of % k != 0) contract.orders = {{1, k, k}};  // also ascending, but pads each part to whole instructions
    });
  if (right.flushes)
    edits.add("denormals: flush -> keep", [](DotNeighbour& wrong) { wrong.contract.flushes = false; });
}

/// Mutants of a row with an undocumented instruction. They change its other cells or its codes, in the same way for every
/// candidate model. Promotion and split-K have no mutants, because they only move sums within their accepted intervals.
std::vector<DotNeighbour> of_unknown_unit(const DotContract& right, int64_t k, const Format& y, bool with_bias) {
  const DotContract& one = right.members.front();
  Edits edits(one, k);
  dot::edit_codes(one, edits);
  if (right.joins_scales()) edit_join(one, edits);
  dot::edit_y(one, y, edits);
  if (right.flushes)
    edits.add("denormals: flush -> keep", [](DotNeighbour& wrong) { wrong.contract.flushes = false; });
  Steps gained = one.y;
  gained.insert(gained.end() - 1, CellStep::made("mul", {"105/100"}));
  edits.y(kDemandedOfSpans, gained);
  if (with_bias) dot::edit_bias(one, y, edits);
  dot::edit_slips_of_y(one, with_bias, edits);
  for (DotNeighbour& wrong : edits.all) {
    DotContract all = right;
    for (DotContract& member : all.members) {
      member.y = wrong.contract.y, member.join = wrong.contract.join, member.bias = wrong.contract.bias;
      member.flushes = wrong.contract.flushes;
      member.unit.a = wrong.contract.unit.a, member.unit.b = wrong.contract.unit.b;
    }
    wrong.contract = std::move(all);
  }
  return std::move(edits.all);
}

}  // namespace

/// Mutants of a software decoder, for the diagnosis only: codes of a, of b, or of both are divided by the multiplier m, or are
/// not scaled.
static void edit_multiplier(const DecodedOperands& right, Edits& edits) {
  const auto of_m = std::find_if(right.decode.begin(), right.decode.end(), [](const CellStep& step) {
    return (step.word == "mul" || step.word == "div") && step.arguments.size() == 1 && step.argument(0) == "m";
  });
  if (of_m == right.decode.end()) return;
  Steps inverted = right.decode, dropped = right.decode;
  const std::ptrdiff_t place = of_m - right.decode.begin();
  inverted[size_t(place)] = CellStep::made(of_m->word == "mul" ? "div" : "mul", {"m"});
  dropped.erase(dropped.begin() + place);
  const auto add = [&](const std::string& name, bool of_a, bool of_b, const Steps& steps) {
    edits.add(name, [&](DotNeighbour& wrong) {
      if (of_a) wrong.contract.decoded.decode_a = steps;
      if (of_b) wrong.contract.decoded.decode_b = steps;
    });
    edits.all.back().suspect = true;
  };
  for (const auto& [cell, of_a, of_b] : {std::tuple("decode of a", true, false), std::tuple("decode of b", false, true),
                                         std::tuple("decode of a and b", true, true)}) {
    add(std::string(cell) + ": " + of_m->text + " -> " + inverted[size_t(place)].text, of_a, of_b, inverted);
    add(std::string(cell) + ": drop " + of_m->text, of_a, of_b, dropped);
  }
}

/// Mutants of a software decoder: a tensor's scale inverted, left out, or applied to the result; another rounding.
static void edit_decoded(const DotContract& right, Edits& edits) {
  if (!right.decoded.any()) return;
  const auto mul = [](const char* operand) { return CellStep::made("mul", {operand}); };
  const auto add = [&](const std::string& name, auto change) {
    edits.add(name, [&](DotNeighbour& wrong) { change(wrong.contract); });
  };
  const auto edit_mult = [&](const char* cell, std::vector<CellStep> DecodedOperands::*steps, const char* of_result) {
    const Steps& own = right.decoded.*steps;
    if (own.empty()) return;
    const bool divides = own.front().word == "div";
    const Steps inverted = {CellStep::made(divides ? "mul" : "div", {"g"})};
    add(std::string(cell) + ": " + text_of(own) + " -> " + text_of(inverted),
        [&](DotContract& wrong) { wrong.decoded.*steps = inverted; });
    add(std::string(cell) + ": drop " + text_of(own), [&](DotContract& wrong) { (wrong.decoded.*steps).clear(); });
    Steps rounded = own;
    rounded.push_back(right.decoded.decode.back());
    add(std::string(cell) + ": " + rounded.back().text + " after " + text_of(own),
        [&](DotContract& wrong) { wrong.decoded.*steps = rounded; });
    if (divides) return;
    add(std::string(cell) + ": " + text_of(own) + " in y", [&](DotContract& wrong) {
      (wrong.decoded.*steps).clear();
      wrong.y.insert(wrong.y.begin(), mul(of_result));
    });
  };
  edit_mult("mult_a", &DecodedOperands::mult_a, "ga");
  edit_mult("mult_b", &DecodedOperands::mult_b, "gb");
  for (const CellStep& other : other_forms(right.decoded.decode.back())) {
    Steps steps = right.decoded.decode;
    steps.back() = other;
    add("decode: " + right.decoded.decode.back().text + " -> " + other.text,
        [&](DotContract& wrong) { wrong.decoded.decode = steps; });
  }
  edit_multiplier(right.decoded, edits);
  for (const CodeMisreading& wrong_way : code_misreadings(*right.decoded.codes)) {
    add("codes: " + wrong_way.words, [&](DotContract& wrong) { wrong.decoded.read = wrong_way.read; });
    edits.all.back().suspect = true;
  }
}

/// Mutant: the block scales of FP4 codes are read in the wrong format: ue4m3 instead of e8m0, or e8m0 instead of ue4m3.
void edit_scale_format(const DotContract& right, Edits& edits) {
  if (!right.unit.scale || right.unit.a->bits != 4) return;
  const Format& other = *right.unit.scale == kE8M0 ? kUe4M3 : kE8M0;
  edits.add(std::string("scales: ") + std::string(right.unit.scale->name) + " read as " + std::string(other.name),
            [&](DotNeighbour& edited) {
              edited.contract.scale_bytes = right.unit.scale;
              edited.contract.unit.scale = &other;
            });
}

std::vector<DotNeighbour> dot_neighbours(const DotContract& right, const UnitTable& units, int64_t k, const Format& y,
                                         bool with_bias) {
  if (right.of_unknown_unit()) return of_unknown_unit(right, k, y, with_bias);
  if (right.unknown()) return unknown_neighbours(right);
  Edits edits(right, k);
  edit_unit(right, units, edits);
  edit_promotion(right, edits);
  if (right.may_scale_alone(k))
    edit_one_block(right, edits);
  else if (right.joins_scales())
    edit_join(right, edits);
  edit_split(right, k, y, edits);
  edit_order_and_flush(right, edits);
  edit_scale_format(right, edits);
  edit_decoded(right, edits);
  dot::edit_y(right, y, edits);
  if (right.adds_zero)
    edits.add("unsplit: fma(0) -> nothing", [](DotNeighbour& wrong) { wrong.contract.adds_zero = false; });
  if (with_bias) dot::edit_bias(right, y, edits);
  dot::edit_slips_of_y(right, with_bias, edits);
  if (right.azp != GemmAzp::kNone) {
    edits.add("azp: rounded to f32 before it is taken off",
              [](DotNeighbour& wrong) { wrong.contract.azp_place = AzpPlace::kFloats; });
    if (!(y == kF32))
      edits.add("azp: joined to the bias", [](DotNeighbour& wrong) { wrong.contract.azp_place = AzpPlace::kBias; });
  }
  return std::move(edits.all);
}

}  // namespace assay

namespace assay::dot {
namespace {

/// The ways to apply two scales: two multiplications in either order, or one by their product.
std::vector<Steps> orders(const Steps& scales) {
  const auto step = [](const char* operand) { return CellStep::made("mul", {operand}); };
  std::vector<Steps> all = {{step("sa*sb")}, {step("sb"), step("sa")}, {step("sa"), step("sb")}};
  std::erase_if(all, [&](const Steps& one) { return text_of(one) == text_of(scales); });
  return all;
}

/// The steps of y in three groups: before the scales, the scales, and the last step.
struct CutY {
  Steps before, scales, c;  ///< `c`: the step that adds c
  CellStep last;

  explicit CutY(const Steps& y) : last(y.back()) {
    for (const CellStep& step : Steps(y.begin(), y.end() - 1)) {
      Steps& of = step.text == "mul(w)" ? before : step.word == "mul" ? scales : step.text == "add(c)" ? c : before;
      of.push_back(step);
    }
  }
  Steps with(const Steps& middle, const CellStep& end) const {
    Steps steps = before;
    for (const Steps& more : {middle, c, Steps{end}}) steps.insert(steps.end(), more.begin(), more.end());
    return steps;
  }
};

/// Mutants of scales that are applied to the result.
void edit_scales(const CutY& cut, Edits& edits) {
  const std::string text = text_of(cut.scales);
  for (const Steps& other : orders(cut.scales)) edits.y("y: " + text + " -> " + text_of(other), cut.with(other, cut.last));
  for (const char* scale : {"sa", "sb"})
    edits.y(std::string("y: ") + (scale[1] == 'a' ? "sb" : "sa") + " is left out",
            cut.with({CellStep::made("mul", {scale})}, cut.last));
}

/// The format with which codes may be confused: the fnuz format of an OCP format, and the reverse.
const Format* sibling(const Format& f) {
  for (const Format& other : all_formats())
    if (!(other == f) && other.bits == f.bits && other.exponent_bits == f.exponent_bits &&
        other.mantissa_bits == f.mantissa_bits && other.bias != f.bias && !f.is_integer())
      return &other;
  return nullptr;
}

}  // namespace

void edit_codes(const DotContract& right, Edits& edits) {
  const Format *a = sibling(*right.unit.a), *b = sibling(*right.unit.b);
  if (!a || !b) return;
  edits.add("a and b: " + std::string(right.unit.a->name) + " read as " + std::string(a->name), [&](DotNeighbour& edited) {
    edited.contract.unit.a = a;
    edited.contract.unit.b = b;
  });
}

/// Mutants of tensor scales: the wrong one is used, or it is applied before or after the rounding of the result, or not rounded.
void edit_outer_scales(const CutY& cut, const Format& y, Edits& edits) {
  const auto times = [](const char* operand) { return Steps{CellStep::made("mul", {operand})}; };
  const std::string text = text_of(cut.scales);
  if (text == "mul(ga*gb)")
    for (const char* other : {"ga*ga", "gb*gb"})
      edits.y("y: " + text + " -> mul(" + other + ")", cut.with(times(other), cut.last));
  if (y == kF32) return;
  if (text == "mul(ga)" || text == "mul(gb)" || text == "mul(ga*gb)") {
    CutY early = cut;
    early.before.push_back(cut.last);
    edits.y("y: to(y) before " + text, early.with(cut.scales, cut.last));
  }
  if (text != "mul(gy)") return;
  edits.y("y: mul(gy) -> mul(ga*gb)", cut.with(times("ga*gb"), cut.last));
  CutY late = cut;
  late.before.clear();
  edits.y("y: no to(y) before mul(gy)", late.with(cut.scales, cut.last));
}

void edit_y(const DotContract& right, const Format& y, Edits& edits) {
  const CutY cut(right.y);
  edit_outer_scales(cut, y, edits);
  if (!right.of_blocks()) edit_scales(cut, edits);
  for (const char* scale : {"ga", "gb"}) {
    const std::string other = scale[1] == 'a' ? "gb" : "ga";
    Steps without;
    for (const CellStep& step : cut.scales) {
      if (step.arguments.size() == 1 && step.argument(0) == scale) continue;
      const bool of_both = step.arguments.size() == 1 && (step.argument(0) == "ga*gb" || step.argument(0) == "gb*ga");
      const bool rounded = step.arguments.size() == 1 && step.argument(0) == "gy";
      without.push_back(of_both || rounded ? CellStep::made("mul", {other}) : step);
    }
    edits.y(std::string("y: ") + scale + " is left out", cut.with(without, cut.last));
  }
  Steps gained = cut.scales;
  gained.push_back(CellStep::made("mul", {"101/100"}));
  edits.y("y: gain 101/100", cut.with(gained, cut.last));
  if (!cut.c.empty()) {
    CutY forgets = cut;
    forgets.c.clear();
    edits.y("y: c is left out", forgets.with(cut.scales, cut.last));
  }
  if (y == kF32) return;
  for (const CellStep& other : other_forms(cut.last))
    edits.y("y: " + cut.last.text + " -> " + other.text, cut.with(cut.scales, other));
  for (size_t i = 0; i + 1 < cut.scales.size(); ++i) {
    Steps twice = cut.scales;
    twice.insert(twice.begin() + std::ptrdiff_t(i) + 1, cut.last);
    edits.y("y: to(y) after " + cut.scales[i].text, cut.with(twice, cut.last));
  }
}

void edit_bias(const DotContract& right, const Format& y, Edits& edits) {
  edits.add("bias: missing", [&](DotNeighbour& wrong) { wrong.contract.bias.clear(); });
  const auto is_scale = [](const CellStep& s) { return s.word == "mul"; };
  if (std::any_of(right.y.begin(), right.y.end(), is_scale))  // otherwise scales are applied to promoted sums
    edits.add("bias: before the scales", [&](DotNeighbour& wrong) {
      Steps& steps = wrong.contract.y;
      steps.insert(std::find_if(steps.begin(), steps.end(), is_scale), CellStep::made("add", {"bias"}));
      wrong.contract.bias.clear();
    });
  if (y == kF32) return;
  const bool rounds_first = right.bias.front().text == right.y.back().text;
  const Steps plain = {CellStep::made("add", {"bias"})}, rounded = {right.y.back(), plain.front()};
  edits.add("bias: " + (rounds_first ? text_of(right.bias) + " -> " + text_of(plain) : "to(y) before " + text_of(right.bias)),
            [&](DotNeighbour& wrong) { wrong.contract.bias = rounds_first ? plain : rounded; });
}

void edit_slips_of_y(const DotContract& right, bool with_bias, Edits& edits) {
  const size_t known = edits.all.size();
  const auto slips = [&](const char* column, const Steps& steps, Steps DotContract::*cell) {
    for (size_t i = 0; i < steps.size(); ++i) {
      if (steps[i].arguments.size() != 1 || !is_quantity(steps[i].argument(0))) continue;
      const std::string& word = steps[i].word;
      if (word != "mul" && word != "add") continue;
      const CellStep other = CellStep::made(word == "mul" ? "div" : "sub", {steps[i].argument(0)});
      const bool of_product = other.argument(0).find('*') != std::string::npos;
      if (of_product) continue;
      edits.add(std::string(column) + ": " + steps[i].text + " -> " + other.text,
                [&](DotNeighbour& wrong) { (wrong.contract.*cell)[i] = other; });
    }
  };
  slips("y", right.y, &DotContract::y);
  if (with_bias) slips("bias", right.bias, &DotContract::bias);
  for (size_t i = known; i < edits.all.size(); ++i) edits.all[i].suspect = true;
}

}  // namespace assay::dot

namespace assay {

std::vector<DotNeighbour> router_neighbours(const DotContract& right, int64_t k, const Format& y, bool with_bias,
                                            bool with_weights) {
  Edits edits(right, k);
  constexpr int64_t kBlockK = 128;  // a usual BLOCK_SIZE_K, for sums that the contract does not promote
  if (!right.of_integers() && (right.promote > 0 ? right.promote : kBlockK) < k)
    edits.add("acc: in bf16", [&](DotNeighbour& wrong) {
      DotContract& contract = wrong.contract;
      if (contract.promote == 0) contract.promote = kBlockK, contract.join = plain_join();
      contract.join.push_back(CellStep::made("to", {"bf16"}));
    });
  if (!with_weights) return std::move(edits.all);
  const CellStep times = CellStep::made("mul", {"w"});
  const auto is_weight = [&](const CellStep& step) { return step.text == times.text; };
  edits.add("router: w is left out", [&](DotNeighbour& wrong) {
    std::erase_if(wrong.contract.router, is_weight);
    std::erase_if(wrong.contract.y, is_weight);
  });
  if (right.router.empty())
    edits.add("router: mul(w) behind the scales", [&](DotNeighbour& wrong) {
      std::erase_if(wrong.contract.y, is_weight);
      wrong.contract.router = {times};
    });
  if (with_bias)
    edits.add("router: mul(w) before the bias", [&](DotNeighbour& wrong) {
      wrong.contract.y.insert(wrong.contract.y.end() - 1, times);
      wrong.contract.router.clear();
    });
  if (y == kF32) return std::move(edits.all);
  const CellStep cast = right.y.back();
  if (right.router.size() > 1)
    edits.add("router: no to(y) before mul(w)", [&](DotNeighbour& wrong) { wrong.contract.router = {times}; });
  else
    edits.add("router: to(y) before mul(w)", [&](DotNeighbour& wrong) {
      std::erase_if(wrong.contract.y, is_weight);
      wrong.contract.router = {cast, times};
    });
  return std::move(edits.all);
}

namespace {

/// The steps without `scale`. A multiplication by the product of both scales becomes a multiplication by the other scale.
std::vector<CellStep> without(const std::vector<CellStep>& steps, const std::string& scale) {
  const std::string other = scale == "sa" ? "sb" : "sa";
  std::vector<CellStep> left;
  for (const CellStep& step : steps) {
    std::vector<std::string> operands;
    for (size_t i = 0; i < step.arguments.size(); ++i) operands.push_back(step.argument(i) == "sa*sb" ? other : step.argument(i));
    const bool is_it = !operands.empty() && operands.front() == scale;
    if (is_it && step.word == "mul") continue;
    if (is_it)
      left.push_back(CellStep::made("add", {operands.back()}));  // fma(scale,acc) becomes add(acc)
    else
      left.push_back(operands.empty() ? step : CellStep::made(step.word, operands));
  }
  return left;
}

}  // namespace

/// Compares bits, because NaN != NaN.
static bool equal_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
}
static bool equal_bits(const std::vector<Spans>& a, const std::vector<Spans>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Spans& x, const Spans& y) { return equal_bits(x.low, y.low) && equal_bits(x.high, y.high); });
}

const Flow& dot_unknown_flow() {
  static const Flow flow{
      .name = "dot_unknown",
      .says = "programs",
      .files = {"dot_unknown.csv"},
      .columns = {"programs", "scales", "out"},
      .optional = {"layouts"},
      .check =
          [](const ContractTables&, const ContractRow& row) {
            const RowCells cells(row);
            (void)read_gemm_scales(cells);
            (void)cells.formats_of_numbers("out");
          },
  };
  return flow;
}

DotContract read_unknown_dot(const ContractRow& row, const ContractTables& contracts, const UnitTable& units) {
  const RowCells cells(row);
  std::vector<DotContract> members;
  for (const std::string& id : cells.alternatives("programs")) try {
      const ContractRow& member = contracts.find(id);
      if (member.flow != &dot_flow())
        throw cells.error("programs", 0, "'" + id + "' is not a GEMM contract that names an instruction");
      const DotContract known = read_dot(member, contracts, units);
      if (known.unknown())
        members.insert(members.end(), known.members.begin(), known.members.end());
      else
        members.push_back(known);
    } catch (const std::out_of_range& error) {
      throw cells.error("programs", 0, error.what());
    }
  DotContract contract = members.front();
  contract.row = &row;
  contract.scales = read_gemm_scales(cells);
  contract.out = cells.formats_of_numbers("out");
  contract.bias.clear();
  contract.layouts = cells.text("layouts").empty() ? std::vector<std::string>() : cells.alternatives("layouts");
  for (const DotContract& member : members) {
    const auto refuse = [&](const std::string& why) { throw cells.error("programs", 0, member.row->id + " " + why); };
    const Unit &unit = member.unit, &first = contract.unit;
    if (!can_be_replayed(unit))
      refuse("has an unsupported instruction: expected one-byte operands and an aligned sum (ea+eb) in 32 bits");
    if (!(*unit.a == *first.a) || !(*unit.b == *first.b) || member.shuffle.any() || member.adds_c() || member.has_atomics())
      refuse(
          "has other operand formats than the first alternative, a shuffled b, a matrix c or atomics; none of these is allowed");
    for (const GemmScales& scales : contract.scales)
      if (!member.takes(scales)) refuse("does not support scales " + scales.name);
  }
  if (contract.of_blocks() == contract.layouts.empty())
    throw cells.error(contract.layouts.empty() ? "scales" : "layouts", 0,
                      "layouts are required for block scales, and not allowed without them");
  contract.members = std::move(members);
  return contract;
}

UnknownDotRows::UnknownDotRows(const DotContract& contract, const DotInputs& inputs, const Format& y) {
  const auto replayed = std::make_shared<ReplayedSums>();
  for (size_t i = 0; i < contract.members.size(); ++i)
    for (const DotProgram& program : dot_programs(contract.members[i], inputs.product.k))
      programs_.push_back({i, DotRows(contract.members[i], program, inputs, y, DotSums::kReplayed, replayed)});
}

Spans UnknownDotRows::values(const DotBlock& block) const {
  Spans all;
  constexpr size_t kMostKnown = size_t{1} << 21;  // 32 MiB of intervals
  size_t numbers = 0;
  std::vector<std::pair<const Program*, std::vector<Spans>>> known;  // variants that differ from all earlier ones
  for (const Program& program : programs_) {
    std::vector<Spans> parts = program.rows.parts(block);
    const bool is_known = std::any_of(known.begin(), known.end(), [&](const auto& one) {
      return one.first->member == program.member && one.first->rows.ends_as(program.rows) && equal_bits(one.second, parts);
    });
    if (is_known) continue;
    const Spans others = program.rows.of_parts(block, parts);
    if (&program == &programs_.front())
      all = others;
    else
      for (size_t e = 0; e < all.size(); ++e) all.set(e, either(all[e], others[e]));
    numbers += parts.size() * block.size();
    if (numbers <= kMostKnown) known.push_back({&program, std::move(parts)});
  }
  return all;
}

Spans UnknownDotRows::values_until(const DotBlock& block, const Holds& holds) const {
  if (programs_.empty()) return values(block);
  Spans all = programs_.front().rows.values(block);
  for (size_t i = 0; i < all.size(); ++i) {
    const int64_t row = block.row_of(i), column = block.column_of(i);
    for (size_t p = 1; p < programs_.size() && !holds(i, all[i]); ++p)
      all.set(i, either(all[i], programs_[p].rows.values({row, row + 1, column, column + 1})[0]));
  }
  return all;
}

std::vector<DotNeighbour> unknown_neighbours(const DotContract& contract) {
  std::vector<DotNeighbour> all;
  const auto add = [&](const std::string& name, auto change) {
    DotNeighbour wrong{name, contract};
    for (DotContract& member : wrong.contract.members) change(member);
    all.push_back(std::move(wrong));
  };
  dot::Edits codes(contract.members.front(), 0);
  dot::edit_codes(contract.members.front(), codes);
  for (const DotNeighbour& read : codes.all)
    add(read.name, [&](DotContract& member) { member.unit.a = read.contract.unit.a, member.unit.b = read.contract.unit.b; });
  for (const char* gain : {"101/100", "105/100"})
    add(std::string("y: gain ") + gain,
        [&](DotContract& member) { member.y.insert(member.y.end() - 1, CellStep::made("mul", {gain})); });
  for (const char* scale : {"sa", "sb"})
    add(std::string(contract.of_blocks() ? "join: " : "y: ") + scale + " is left out", [&](DotContract& member) {
      std::vector<CellStep>& steps = contract.of_blocks() ? member.join : member.y;
      steps = without(steps, scale);
    });
  return all;
}

}  // namespace assay
