// From the cells of a row of units.csv to a unit, and what may stand together: the domain in which both implementations are
// exact.
#include <algorithm>

#include "reference/formats/catalogue.h"
#include "reference/table/near.h"
#include "reference/units/words.h"

namespace assay {
namespace {

constexpr int kMostProducts = 1024;     ///< of an instruction
constexpr int kMostFraction = 28;       ///< of products of 22 bits in words of 32
constexpr int kMostGroupFraction = 38;  ///< of a group of sixteen products, in a double
constexpr int kMostJoinFraction = 40;
constexpr int kWidest = 1 << 10;  ///< an exponent no term reaches

const Format* format(const UnitRow& row, const std::string& column, const std::string& name, size_t offset = 0) {
  std::vector<std::string> known;
  for (const Format& f : all_formats()) known.emplace_back(f.name);
  if (const Format* found = find_format(name)) return found;
  throw row.error(column, offset, "unknown format '" + name + "'" + did_you_mean(name, known));
}

BitLoss loss(CellWords& words) {
  if (words.next_is("truncate")) return BitLoss::kTruncate;
  if (words.next_is("floor")) return BitLoss::kFloor;
  words.expected({"truncate", "floor"});
}

void read_order(const UnitRow& row, Unit& unit) {
  CellWords words(row, "order");
  if (words.next_is("interleave", 2)) {
    unit.interleave_period = words.integer(0, 1, unit.k);
    unit.interleave_width = words.integer(1, 1, unit.k);
    if (unit.k % unit.interleave_period != 0 || unit.interleave_period % unit.interleave_width != 0)
      throw words.error("the width divides the period, and the period k");
  }
  if (!words.next_is("take", 1)) words.expected({"interleave(PERIOD,WIDTH)", "take(N)"});
  unit.take = words.integer(0, 1, std::min(unit.k, kMostTaken));
  if (unit.k % unit.take != 0) throw words.error("take divides k, which is " + std::to_string(unit.k));
  words.end("take");
}

void read_exponent(const UnitRow& row, Unit& unit) {
  CellWords words(row, "exponent");
  if (unit.sum != ProductSum::kAligned) return words.end("a sum without alignment");
  if (words.next_is("ea+eb"))
    unit.exponent = TermExponent::kSum;
  else if (words.next_is("normalized"))
    unit.exponent = TermExponent::kNormalized;
  else if (words.next_is("scales"))
    unit.exponent = TermExponent::kScales;
  else
    words.expected({"ea+eb", "normalized", "scales"});
  if ((unit.exponent == TermExponent::kScales) != (unit.group > 1))
    throw words.error("groups, and they alone, are aligned by scales");
  unit.zeros_count = words.next_is("zeros");
  if (words.next_is("least", 1)) unit.least_exponent = words.integer(0, -kWidest, kWidest);
  words.end("the exponent");
}

void read_sum(const UnitRow& row, Unit& unit) {
  CellWords words(row, "sum");
  if (words.next_is("pairs")) {
    unit.sum = ProductSum::kPairs;
    if ((unit.take & (unit.take - 1)) != 0) throw words.error("pairs want a power of two of products");
    return words.end("pairs");
  }
  if (words.next_is("exact")) {
    unit.sum = ProductSum::kExact;
    return words.end("exact");
  }
  if (words.next_is("group", 1)) {
    unit.group = words.integer(0, 2, 16);
    if (unit.take % unit.group != 0 || unit.interleave_period != 0)
      throw words.error("a group is of neighbours in k and divides take, which is " + std::to_string(unit.take));
  } else if (words.next_is("split", 1)) {
    unit.splits = words.integer(0, 2, kMostSplits);
    if (unit.take % unit.splits != 0) throw words.error("split divides take, which is " + std::to_string(unit.take));
  }
  if (!words.next_is("align", 1)) words.expected({"align(F)", "split(N)", "group(N)", "pairs", "exact"});
  unit.fraction_bits = words.integer(0, 1, unit.group > 1 ? kMostGroupFraction : kMostFraction);
  unit.loss = loss(words);
  if (unit.splits > 1) {
    if (!words.next_is("join", 1)) words.expected({"join(F)"});
    unit.join_fraction_bits = words.integer(0, 1, kMostJoinFraction);
    unit.join_loss = loss(words);
  }
  words.end("the sum");
}

void read_c(const UnitRow& row, Unit& unit) {
  CellWords words(row, "c");
  if (unit.sum != ProductSum::kAligned) {
    if (!words.next_is("added")) words.expected({"added"});
    unit.join = AccumulatorJoin::kAdded;
    return words.end("added");
  }
  if (words.next_is("joined", 2)) {
    unit.join = AccumulatorJoin::kJoined;
    unit.sum_fraction_bits = words.integer(0, 1, kMostJoinFraction);
    unit.c_fraction_bits = words.integer(1, 1, kMostJoinFraction);
    unit.c_loss = loss(words);
    if (words.next_is("drop", 1)) unit.c_drop = words.integer(0, 1, kWidest);
  } else if (!words.next_is("aligned")) {
    words.expected({"aligned", "joined(SUM_BITS,C_BITS)"});
  }
  if ((unit.splits > 1 && unit.join != AccumulatorJoin::kJoined) || (unit.group > 1 && unit.join != AccumulatorJoin::kAligned))
    throw words.error("behind a split c is joined, with groups it is aligned");
  unit.c_last = words.next_is("last");
  words.end("c");
}

void read_round(const UnitRow& row, Unit& unit) {
  CellWords words(row, "round");
  if (unit.sum == ProductSum::kExact) {
    if (!words.next_is("wrap")) words.expected({"wrap"});
    unit.rounding = ResultRounding::kWrap;
    return words.end("wrap");
  }
  if (words.next_is("rz", 1))
    unit.rounding = ResultRounding::kTowardZero;
  else if (words.next_is("rne", 1))
    unit.rounding = ResultRounding::kNearestEven;
  else
    words.expected({"rz(BITS)", "rne(BITS)"});
  unit.result_bits = words.integer(0, 1, unit.d->mantissa_bits);
  if (unit.sum == ProductSum::kPairs &&
      (unit.rounding != ResultRounding::kNearestEven || unit.result_bits != unit.d->mantissa_bits))
    throw words.error("pairs are rounded to the nearest number of " + std::string(unit.d->name));
  words.end("the rounding");
}

/// "e8m0/32"
void read_scale(const UnitRow& row, Unit& unit) {
  const std::string& text = row.text("scale");
  if (text.empty()) {
    if (unit.group > 1) throw row.error("scale", 0, "a unit with groups has scales");
    return;
  }
  const size_t slash = text.find('/');
  unit.scale = format(row, "scale", text.substr(0, slash));
  const std::string block = slash == std::string::npos ? "" : text.substr(slash + 1);
  const bool digits = !block.empty() && block.size() < 5 && block.find_first_not_of("0123456789") == std::string::npos;
  unit.scale_block = digits ? std::stoi(block) : 0;
  if (unit.scale_block == 0 || unit.k % unit.scale_block != 0 || unit.scale_block % unit.group != 0)
    throw row.error("scale", 0, "'" + text + "' must read FORMAT/BLOCK, a block of whole groups that divides k");
  if (unit.sum != ProductSum::kAligned) throw row.error("scale", 0, "a sum without alignment takes no scales");
  if (unit.group == 1 && unit.scale->specials != Specials::kScale)
    throw row.error("scale", 0, "without groups a scale is a power of two");
  if (unit.scale->specials != Specials::kScale && unit.scale->specials != Specials::kUnsigned)
    throw row.error("scale", 0, "'" + std::string(unit.scale->name) + "' is no format of scales");
}

void read_special(const UnitRow& row, Unit& unit) {
  CellWords words(row, "special");
  if (unit.sum == ProductSum::kExact) return words.end("integers");
  if (!words.next_is("nan", 1)) words.expected({"nan(CODE)"});
  unit.nan = words.hexadecimal(0, unit.d->bits);
  const double value = decode(*unit.d, unit.nan);
  if (value == value) throw words.error("this is no NaN of " + std::string(unit.d->name));
  unit.flush = words.next_is("flush");
  if (words.next_is("inf", 1)) {
    unit.product_limit = words.integer(0, 1, kWidest);
    if (unit.sum != ProductSum::kAligned || unit.group > 1) throw words.error("only single aligned products have a limit");
  }
  words.end("the special values");
}

void check_formats(const UnitRow& row, const Unit& unit) {
  const bool exact = unit.sum == ProductSum::kExact;
  for (const auto& [column, f] : {std::pair("a", unit.a), std::pair("b", unit.b)}) {
    if (exact != (f->specials == Specials::kInteger) || f->bits > 19 || f->specials > Specials::kInteger ||
        f->specials == Specials::kScale || f->specials == Specials::kUnsigned || f->precision() > 11)
      throw row.error(column, 0, exact ? "an exact sum is of integers" : "a factor has a sign and at most 11 significand bits");
    if (unit.group > 1 && (f->specials != Specials::kFinite || f->exponent_bits > 2))
      throw row.error(column, 0, "groups are of e2m1 or e2m3");
  }
  const bool fits =
      exact ? *unit.d == kInt32 : *unit.d == kF32 || (*unit.d == kF16 && unit.sum == ProductSum::kAligned && unit.group == 1);
  if (!fits)
    throw row.error("d", 0,
                    "'" + std::string(unit.d->name) + "' holds no such sum: f32, f16 of aligned products, int32 of exact ones");
}

void read_evidence(const UnitRow& row) {
  CellWords words(row, "evidence");
  if (words.next_is("unknown")) {
    for (const std::string& column : unit_step_columns())
      if (column != "scale" && !row.text(column).empty())
        throw row.error(column, 0, "of a unit that is unknown no step is known");
    return words.end("unknown");
  }
  do {
    if (!words.next_is("measured") && !words.next_is("recorded") && !words.next_is("model") && !words.next_is("inferred"))
      words.expected({"measured", "recorded", "model", "inferred", "unknown"});
  } while (!words.at_end());
}

}  // namespace

Unit read_unit(const UnitRow& row) {
  Unit unit;
  unit.id = row.id;
  read_evidence(row);
  unit.a = format(row, "a", row.text("a"));
  unit.b = format(row, "b", row.text("b"));
  unit.d = format(row, "d", row.text("d"));
  CellWords k(row, "k");
  unit.k = k.whole(1, kMostProducts);
  if (row.text("evidence") == "unknown") return unit;
  read_order(row, unit);
  read_sum(row, unit);
  check_formats(row, unit);
  read_exponent(row, unit);
  read_c(row, unit);
  read_round(row, unit);
  read_scale(row, unit);
  read_special(row, unit);
  return unit;
}

}  // namespace assay
