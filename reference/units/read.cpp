// Parses a row of units.csv into a unit, and checks which cells may be combined: those for which both implementations are exact.
#include <algorithm>

#include "reference/formats/catalogue.h"
#include "reference/units/read_sum.h"

namespace assay {
namespace {

constexpr int kMostProducts = 1024;  ///< per instruction

void read_order(const UnitRow& row, Unit& unit) {
  CellWords words(row, "order");
  if (words.next_is("interleave", 2)) {
    unit.interleave_period = words.integer(0, 1, unit.k);
    unit.interleave_width = words.integer(1, 1, unit.k);
    if (unit.k % unit.interleave_period != 0 || unit.interleave_period % unit.interleave_width != 0)
      throw words.error("the width must divide the period, and the period must divide k");
  }
  if (!words.next_is("take", 1)) words.expected({"interleave(PERIOD,WIDTH)", "take(N)"});
  unit.take = words.integer(0, 1, std::min(unit.k, kMostTaken));
  if (unit.k % unit.take != 0) throw words.error("take must divide k, which is " + std::to_string(unit.k));
  words.end("take");
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

/// Parses "e8m0/32".
void read_scale(const UnitRow& row, Unit& unit) {
  const std::string& text = row.text("scale");
  if (text.empty()) {
    if (unit.group > 1) throw row.error("scale", 0, "an instruction with groups needs scales");
    return;
  }
  const size_t slash = text.find('/');
  unit.scale = format_named(row, "scale", text.substr(0, slash));
  const std::string block = slash == std::string::npos ? "" : text.substr(slash + 1);
  const bool digits = !block.empty() && block.size() < 5 && block.find_first_not_of("0123456789") == std::string::npos;
  unit.scale_block = digits ? std::stoi(block) : 0;
  if (unit.scale_block == 0 || unit.k % unit.scale_block != 0 || unit.scale_block % unit.group != 0)
    throw row.error("scale", 0, "'" + text + "' must read FORMAT/BLOCK, a block of whole groups that divides k");
  if (unit.sum != ProductSum::kAligned) throw row.error("scale", 0, "scales need an aligned sum");
  if (unit.group == 1 && unit.scale->specials != Specials::kScale)
    throw row.error("scale", 0, "without groups the scale format must hold powers of two");
  if (unit.scale->specials != Specials::kScale && unit.scale->specials != Specials::kUnsigned)
    throw row.error("scale", 0, "'" + std::string(unit.scale->name) + "' is not a scale format");
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
    unit.product_limit = words.integer(0, 1, kWidestExponent);
    if (unit.sum != ProductSum::kAligned || unit.group > 1) throw words.error("inf(E) needs single aligned products");
  }
  words.end("the special values");
}

void check_formats(const UnitRow& row, const Unit& unit) {
  const bool exact = unit.sum == ProductSum::kExact;
  for (const auto& [column, f] : {std::pair("a", unit.a), std::pair("b", unit.b)}) {
    if (exact != f->is_integer() || f->bits > 19 || f->specials > Specials::kInteger ||
        f->specials == Specials::kScale || f->specials == Specials::kUnsigned || f->precision() > 11)
      throw row.error(column, 0, exact ? "an exact sum is of integers" : "a factor has a sign and at most 11 significand bits");
    if (unit.group > 1 && (f->specials != Specials::kFinite || f->exponent_bits > 2))
      throw row.error(column, 0, "groups need e2m1 or e2m3");
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
        throw row.error(column, 0, "must be empty: the instruction is unknown");
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
  unit.a = format_named(row, "a", row.text("a"));
  unit.b = format_named(row, "b", row.text("b"));
  unit.d = format_named(row, "d", row.text("d"));
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
