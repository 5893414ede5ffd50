// Reads units.csv and parses the cells of its rows.
#include "reference/units/unit_table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

#include "reference/exact/expression.h"
#include "reference/formats/catalogue.h"
#include "reference/table/near.h"
#include "reference/units/unit.h"

namespace assay {

std::vector<const Format*> exponent_formats(const Format& a, const Format& b) {
  const auto holds = [](const Format& wide, const Format& narrow) {
    return !narrow.is_integer() && narrow.mantissa_bits <= wide.mantissa_bits &&
           narrow.min_exponent() >= wide.min_exponent() && max_finite(narrow) <= max_finite(wide);
  };
  // The smallest exponents that nonzero values of a and of b have in the format `in`.
  const auto least = [&](const Format& in) {
    const auto of = [&](const Format& f) { return std::max(in.min_exponent(), f.min_exponent() - f.mantissa_bits); };
    return std::pair(of(a), of(b));
  };
  std::vector<const Format*> all;
  std::vector<std::pair<int, int>> seen = {{a.min_exponent(), b.min_exponent()}};
  for (const Format* f : {&kF16, &kF32}) {
    if (!holds(*f, a) || !holds(*f, b) || std::find(seen.begin(), seen.end(), least(*f)) != seen.end()) continue;
    all.push_back(f), seen.push_back(least(*f));
  }
  return all;
}

std::vector<int> product_order(const Unit& unit) {
  std::vector<int> taken;
  const int period = unit.interleave_period == 0 ? unit.k : unit.interleave_period;
  const int width = unit.interleave_period == 0 ? unit.k : unit.interleave_width;
  for (int part = 0; part < period / width; ++part)
    for (int k = 0; k < unit.k; ++k)
      if (k % period / width == part) taken.push_back(k);
  std::vector<int> order;
  for (int block = 0; block < unit.k; block += unit.take)
    for (int split = 0; split < unit.splits; ++split)
      for (int i = split; i < unit.take; i += unit.splits) order.push_back(taken[size_t(block + i)]);
  return order;
}

CellWords::CellWords(const UnitRow& row, const std::string& column) : row_(row), column_(column) {
  try {
    words_ = read_cell(row.text(column));
  } catch (const ParseError& error) {
    throw row.error(column, error.position, error.what());
  }
}

bool CellWords::next_is(const std::string& word, size_t arguments) {
  if (at_ == words_.size() || words_[at_].word != word || words_[at_].arguments.size() != arguments) return false;
  ++at_;
  return true;
}

TableError CellWords::error(const std::string& problem) const {
  return row_.error(column_, words_.at(at_ - 1).position, problem);
}

int CellWords::integer(size_t argument, int least, int most) const {
  return number(words_.at(at_ - 1).arguments.at(argument), least, most);
}

int CellWords::whole(int least, int most) {
  if (words_.size() != 1) throw row_.error(column_, 0, "expected one integer");
  return number({words_[at_++].text, 0}, least, most);
}

int CellWords::number(const CellArgument& text, int least, int most) const {
  int value = 0;
  const char* const last = text.text.data() + text.text.size();
  const auto [end, status] = std::from_chars(text.text.data(), last, value);
  if (status != std::errc() || end != last || value < least || value > most)
    throw row_.error(column_, text.position,
                     "'" + text.text + "' is not an integer from " + std::to_string(least) + " to " + std::to_string(most));
  return value;
}

uint32_t CellWords::hexadecimal(size_t argument, int bits) const {
  const CellArgument& text = words_.at(at_ - 1).arguments.at(argument);
  uint32_t value = 0;
  const char* const last = text.text.data() + text.text.size();
  const auto [end, status] = std::from_chars(text.text.data(), last, value, 16);
  if (status != std::errc() || end != last || (bits < 32 && value >> bits != 0))
    throw row_.error(column_, text.position,
                     "'" + text.text + "' is not a hexadecimal number of " + std::to_string(bits) + " bits");
  return value;
}

void CellWords::expected(std::initializer_list<const char*> forms) const {
  std::vector<std::string> known;
  std::string all;
  for (const char* form : forms) {
    known.push_back(std::string(form).substr(0, std::string(form).find('(')));
    all.append(all.empty() ? "" : ", ").append(form);
  }
  if (at_ == words_.size()) throw row_.error(column_, row_.text(column_).size(), "expected one of: " + all);
  const CellStep& word = words_[at_];
  throw row_.error(column_, word.position,
                   "'" + word.text + "' is not one of: " + all +
                       (near_matches(word.word, known).empty() ? "" : did_you_mean(word.word, known)));
}

void CellWords::end(const char* after) const {
  if (at_ == words_.size()) return;
  throw row_.error(column_, words_[at_].position, "'" + words_[at_].text + "' is not allowed after " + after);
}

namespace {

constexpr int kMostFraction = 28;       ///< largest F of align(F), so that products of 22 bits fit in 32-bit words
constexpr int kMostGroupFraction = 38;  ///< the same with group(N), so that the sum of sixteen products fits in a double
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
                  "'" + name.text + "' changes no exponent, or cannot hold all operands; expected f16 or f32");
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
    throw words.error("'scales' is required with group(N), and not allowed without it");
  if (unit.exponent == TermExponent::kSum && words.next_is("in", 1)) unit.exponents_in = read_exponents_in(row, words, unit);
  unit.zeros_count = words.next_is("zeros");
  if (words.next_is("least", 1)) unit.least_exponent = words.integer(0, -kWidestExponent, kWidestExponent);
  words.end("the exponent");
}

void read_sum(const UnitRow& row, Unit& unit) {
  CellWords words(row, "sum");
  if (words.next_is("pairs")) {
    unit.sum = ProductSum::kPairs;
    if ((unit.take & (unit.take - 1)) != 0) throw words.error("'pairs' needs a power of two N in take(N) of the column order");
    return words.end("pairs");
  }
  if (words.next_is("exact")) {
    unit.sum = ProductSum::kExact;
    return words.end("exact");
  }
  if (words.next_is("group", 1)) {
    unit.group = words.integer(0, 2, 16);
    if (unit.take % unit.group != 0 || unit.interleave_period != 0)
      throw words.error("group(N) allows no interleave, and N must divide take, which is " + std::to_string(unit.take));
  } else if (words.next_is("split", 1)) {
    unit.splits = words.integer(0, 2, kMostSplits);
    if (unit.take % unit.splits != 0) throw words.error("N of split(N) must divide take, which is " + std::to_string(unit.take));
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
    throw words.error("with split(N), expected joined(..); with group(N), expected aligned");
  unit.c_last = words.next_is("last");
  words.end("c");
}

// Parses a row of units.csv into a Unit, and checks that its cells fit together. Only combinations that unit_definition.cpp and
// unit_loops.cpp compute exactly are allowed.

namespace {

constexpr int kMostProducts = 1024;  ///< products per instruction

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
    throw words.error("sum 'pairs' requires rne(" + std::to_string(unit.d->mantissa_bits) + "), all fraction bits of " +
                      std::string(unit.d->name));
  words.end("the rounding");
}

/// Parses "e8m0/32".
void read_scale(const UnitRow& row, Unit& unit) {
  const std::string& text = row.text("scale");
  if (text.empty()) {
    if (unit.group > 1) throw row.error("scale", 0, "is empty: a sum with group(N) requires scales");
    return;
  }
  const size_t slash = text.find('/');
  unit.scale = format_named(row, "scale", text.substr(0, slash));
  const std::string block = slash == std::string::npos ? "" : text.substr(slash + 1);
  const bool digits = !block.empty() && block.size() < 5 && block.find_first_not_of("0123456789") == std::string::npos;
  unit.scale_block = digits ? std::stoi(block) : 0;
  if (unit.scale_block == 0 || unit.k % unit.scale_block != 0 || unit.scale_block % unit.group != 0)
    throw row.error("scale", 0,
                    "'" + text + "': expected FORMAT/BLOCK, where BLOCK divides k and is a multiple of the N of group(N)");
  if (unit.sum != ProductSum::kAligned) throw row.error("scale", 0, "scales require a sum with align(F)");
  if (unit.group == 1 && unit.scale->specials != Specials::kScale)
    throw row.error("scale", 0, "without group(N), all values of the scale format must be powers of two");
  if (unit.scale->specials != Specials::kScale && unit.scale->specials != Specials::kUnsigned)
    throw row.error("scale", 0, "'" + std::string(unit.scale->name) + "' is not a scale format");
}

void read_special(const UnitRow& row, Unit& unit) {
  CellWords words(row, "special");
  if (unit.sum == ProductSum::kExact) return words.end("integers");
  if (!words.next_is("nan", 1)) words.expected({"nan(CODE)"});
  unit.nan = words.hexadecimal(0, unit.d->bits);
  const double value = decode(*unit.d, unit.nan);
  if (value == value) throw words.error("the code is not a NaN of " + std::string(unit.d->name));
  unit.flush = words.next_is("flush");
  if (words.next_is("inf", 1)) {
    unit.product_limit = words.integer(0, 1, kWidestExponent);
    if (unit.sum != ProductSum::kAligned || unit.group > 1)
      throw words.error("inf(E) requires an aligned sum whose terms are single products");
  }
  words.end("the special values");
}

void check_formats(const UnitRow& row, const Unit& unit) {
  const bool exact = unit.sum == ProductSum::kExact;
  for (const auto& [column, f] : {std::pair("a", unit.a), std::pair("b", unit.b)}) {
    if (exact != f->is_integer() || f->bits > 19 || f->specials > Specials::kInteger ||
        f->specials == Specials::kScale || f->specials == Specials::kUnsigned || f->precision() > 11)
      throw row.error(
          column, 0,
          exact ? "an exact sum requires integer operands" : "expected a signed format with at most 11 significand bits");
    if (unit.group > 1 && (f->specials != Specials::kFinite || f->exponent_bits > 2))
      throw row.error(column, 0, "group(N) requires operands in e2m1 or e2m3");
  }
  const bool fits =
      exact ? *unit.d == kInt32 : *unit.d == kF32 || (*unit.d == kF16 && unit.sum == ProductSum::kAligned && unit.group == 1);
  if (!fits)
    throw row.error("d", 0,
                    "'" + std::string(unit.d->name) + "' cannot hold this sum: expected f32, f16 (aligned) or int32 (exact)");
}

void read_evidence(const UnitRow& row) {
  CellWords words(row, "evidence");
  if (words.next_is("unknown")) {
    for (const std::string& column : unit_step_columns())
      if (column != "scale" && !row.text(column).empty())
        throw row.error(column, 0, "must be empty, because the evidence of this instruction is 'unknown'");
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

std::span<const std::string> unit_columns() {
  static const std::vector<std::string> all = {"id", "a",     "b",     "d",       "k",        "order",  "exponent", "sum",
                                               "c",  "round", "scale", "special", "evidence", "source", "why"};
  return all;
}

bool holds_units(const std::string& file) {
  const Table table = read_table(file);
  const auto has = [&](const std::string& column) { return table.has_column(column); };
  return std::all_of(unit_step_columns().begin(), unit_step_columns().end(), has);
}

std::span<const std::string> unit_step_columns() {
  static const std::array<std::string, 7> all = {"order", "exponent", "sum", "c", "round", "scale", "special"};
  return all;
}

TableError UnitRow::error(const std::string& column, size_t offset, const std::string& problem) const {
  const TableCell& cell = cells.at(column);
  return TableError(file, cell.line, cell.column + int(offset), column, problem);
}

UnitTable UnitTable::load(const std::string& file) {
  UnitTable table;
  table.add(file);
  return table;
}

UnitTable UnitTable::load_folder(const std::string& folder) {
  UnitTable table = load(folder + "/units.csv");
  table.add_candidates(folder + "/unit_candidates.csv");
  return table;
}

UnitRow UnitTable::read_row(const Table& table, const TableRow& row) const {
  UnitRow unit{table.text(row, "id"), table.file, row.line, {}, {}};
  for (const std::string& column : unit_columns()) unit.cells[column] = table.cell(row, column);
  if (unit.id.empty()) throw table.error(row, "id", "is empty: expected the id of an instruction");
  unit.unit = read_unit(unit);
  return unit;
}

void UnitTable::add(const std::string& file) {
  const Table table = read_table(file);
  table.require_columns(unit_columns());
  table.allow_columns(unit_columns());
  for (const TableRow& row : table.rows) {
    UnitRow unit = read_row(table, row);
    if (UnitRow* const unknown = unknown_namesake(unit)) {
      *unknown = std::move(unit);
      continue;
    }
    for (const UnitRow& other : rows_)
      if (other.id == unit.id)
        throw table.error(row, "id",
                          "'" + unit.id + "' is defined in " + other.file + ":" + std::to_string(other.line) + " already");
    rows_.push_back(std::move(unit));
  }
}

void UnitTable::add_candidates(const std::string& file) {
  const Table table = read_table(file);
  table.require_columns(unit_columns());
  table.allow_columns(unit_columns());
  for (const TableRow& row : table.rows) {
    UnitRow candidate = read_row(table, row);
    const std::string of = candidate.id.substr(0, candidate.id.find(':'));
    const auto unit = std::find_if(rows_.begin(), rows_.end(), [&](const UnitRow& one) { return one.id == of; });
    if (unit == rows_.end() || of.size() + 1 >= candidate.id.size())
      throw candidate.error("id", 0,
                            "'" + candidate.id + "': expected UNIT:NAME, where UNIT is an instruction of " +
                                (rows_.empty() ? file : rows_.front().file));
    for (const char* column : {"a", "b", "d", "scale"})
      if (candidate.text(column) != unit->text(column))
        throw candidate.error(column, 0, "must be '" + unit->text(column) + "', as in " + of);
    if (candidate.unit.k % unit->unit.k != 0) throw candidate.error("k", 0, "must be a multiple of the k of " + of);
    if (!candidate.unit.known()) throw candidate.error("evidence", 0, "is unknown: a candidate must say how it accumulates");
    for (const UnitRow& other : candidates_)
      if (other.id == candidate.id)
        throw candidate.error("id", 0, "'" + candidate.id + "' is defined in line " + std::to_string(other.line) + " already");
    candidates_.push_back(std::move(candidate));
  }
}

std::vector<const UnitRow*> UnitTable::candidates_of(const UnitRow& unknown) const {
  std::vector<const UnitRow*> found;
  if (unknown.unit.known()) return found;
  for (const UnitRow& row : candidates_)
    if (row.id.starts_with(unknown.id + ":")) found.push_back(&row);
  return found;
}

UnitRow* UnitTable::unknown_namesake(const UnitRow& row) {
  for (UnitRow& other : rows_) {
    if (other.id != row.id || other.unit.known() || !row.unit.known()) continue;
    for (const char* column : {"a", "b", "d", "k", "scale"})
      if (other.text(column) != row.text(column))
        throw row.error(column, 0,
                        "'" + row.id + "' is already in " + other.file + ":" + std::to_string(other.line) + ", with '" +
                            other.text(column) + "' here");
    return &other;
  }
  return nullptr;
}

const UnitRow& UnitTable::find(const std::string& id) const {
  std::vector<std::string> ids;
  for (const UnitRow& row : rows_) {
    if (row.id == id) return row;
    ids.push_back(row.id);
  }
  throw std::out_of_range("unknown unit '" + id + "'" + did_you_mean(id, ids));
}

}  // namespace assay
