#include "reference/units/read_sum.h"

#include "reference/formats/catalogue.h"
#include "reference/table/near.h"

namespace assay {
namespace {

constexpr int kMostFraction = 28;       ///< products of 22 bits in 32-bit words
constexpr int kMostGroupFraction = 38;  ///< the sum of sixteen products in a double
constexpr int kMostJoinFraction = 40;

BitLoss loss(CellWords& words) {
  if (words.next_is("truncate")) return BitLoss::kTruncate;
  if (words.next_is("floor")) return BitLoss::kFloor;
  words.expected({"truncate", "floor"});
}

/// Parses "in(f16)".
const Format* read_exponents_in(const UnitRow& row, const CellWords& words, const Unit& unit) {
  const CellArgument& name = words.argument(0);
  const Format* const found = format_named(row, "exponent", name.text, name.position);
  for (const Format* f : exponent_formats(*unit.a, *unit.b))
    if (*f == *found) return f;
  throw row.error("exponent", name.position,
                  "as '" + name.text + "' no factor has another exponent, or some do not fit; it may be f16 or f32");
}

}  // namespace

const Format* format_named(const UnitRow& row, const std::string& column, const std::string& name, size_t offset) {
  std::vector<std::string> known;
  for (const Format& f : all_formats()) known.emplace_back(f.name);
  if (const Format* found = find_format(name)) return found;
  throw row.error(column, offset, "unknown format '" + name + "'" + did_you_mean(name, known));
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
    throw words.error("'scales' is required with group(N) and only allowed with it");
  if (unit.exponent == TermExponent::kSum && words.next_is("in", 1)) unit.exponents_in = read_exponents_in(row, words, unit);
  unit.zeros_count = words.next_is("zeros");
  if (words.next_is("least", 1)) unit.least_exponent = words.integer(0, -kWidestExponent, kWidestExponent);
  words.end("the exponent");
}

void read_sum(const UnitRow& row, Unit& unit) {
  CellWords words(row, "sum");
  if (words.next_is("pairs")) {
    unit.sum = ProductSum::kPairs;
    if ((unit.take & (unit.take - 1)) != 0) throw words.error("pairs needs a power of two as take");
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
    if (words.next_is("drop", 1)) unit.c_drop = words.integer(0, 1, kWidestExponent);
  } else if (!words.next_is("aligned")) {
    words.expected({"aligned", "joined(SUM_BITS,C_BITS)"});
  }
  if ((unit.splits > 1 && unit.join != AccumulatorJoin::kJoined) || (unit.group > 1 && unit.join != AccumulatorJoin::kAligned))
    throw words.error("with split, c must be joined; with group, aligned");
  unit.c_last = words.next_is("last");
  words.end("c");
}

}  // namespace assay
