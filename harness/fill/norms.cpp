// Fills of norms: rows whose factor r is known to the last bit, with weights that make their products tie.
//
// A product x r w is rounded to 16 bits, and r is free by a few ulp: a kernel that rounds every tie away from zero looks like one
// whose r is an ulp greater. So a row holds products of both kinds for one and the same r: some are ties of fp32 numbers, and others
// lie so close beside a tie that one ulp of r carries them to its other side.
#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <stdexcept>
#include <vector>

#include "harness/fill/sheet.h"
#include "harness/fill/nearest.h"
#include "reference/formats/round.h"

namespace assay::fills {
namespace {

/// Weights that are not a tie's: so many of every four columns.
constexpr int64_t kTurn = 4;

double significand_of(const Format& format, int64_t place) {
  const int64_t count = int64_t{1} << format.mantissa_bits;
  return 1.0 + double(place % count) / double(count);
}

double tie_weight(const Format& format, int64_t column) {
  if (column % kTurn == 0) return column / kTurn % 2 == 0 ? 0.75 : 1.5;
  return significand_of(format, column / kTurn * (kTurn - 1) + column % kTurn - 1);
}

uint32_t bits_of(float x) {
  uint32_t bits = 0;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

/// What a number becomes behind both products in fp32.
float product(float x, float r, float w) { return x * r * w; }

/// Bits of an fp32 number that `format` has no room for.
int dropped_bits(const Format& format) { return 23 - format.mantissa_bits; }
bool is_tie(const Format& format, float y) {
  const uint32_t half = 1u << (dropped_bits(format) - 1);
  return (bits_of(y) & (2 * half - 1)) == half;
}
/// Whether a few ulp of the fp32 number lead to a tie.
bool is_beside_tie(const Format& format, float y) {
  const uint32_t half = 1u << (dropped_bits(format) - 1), low = bits_of(y) & (2 * half - 1);
  return low + 4 > half && low < half + 4;
}
/// The code before rounding: whether it is odd says where a tie goes.
bool is_odd_below(const Format& format, float y) { return (bits_of(y) >> dropped_bits(format) & 1) != 0; }
double rounded(const Format& format, float y) { return round_to(format, y, Rounding::kNearestEven, Overflow::kSaturate); }

/// A number of x for a weight.
struct Choice {
  float x;
  int64_t column;
};

/// What a row is made for: a mistake that moves ties up where RNE goes down, or down where it goes up.
enum class Aim { kAwayFromZero, kTowardZero };

struct Choices {
  std::vector<Choice> ties, pins;
  bool serves() const { return !ties.empty() && !pins.empty(); }
};

/// Columns by the weight that they have.
using ColumnsOfWeights = std::map<float, std::vector<int64_t>>;

/// Numbers for each weight that tie, and numbers that are carried over a tie by one ulp of r.
Choices choices(const Format& format, const ColumnsOfWeights& weights, float r, Aim aim) {
  const bool away = aim == Aim::kAwayFromZero;
  const float beside = std::nextafterf(r, away ? 2 * r : 0);
  const int64_t count = int64_t{1} << format.mantissa_bits, step = std::max<int64_t>(1, count / 256);
  Choices found;
  for (const auto& [w, columns] : weights) {
    for (int64_t place = 0; place < count; place += step) {
      const auto x = float(128 * significand_of(format, place));
      const float y = product(x, r, w);
      std::vector<Choice>* kind = nullptr;
      if (is_tie(format, y))
        kind = is_odd_below(format, y) != away ? &found.ties : nullptr;
      else if (is_beside_tie(format, y) && rounded(format, product(x, beside, w)) != rounded(format, y))
        kind = &found.pins;
      if (kind != nullptr)
        for (const int64_t column : columns) kind->push_back({x, column});
    }
  }
  return found;
}

/// Floor of a square root, by integers.
int64_t integer_root(int64_t square) {
  int64_t root = 0;
  for (int64_t bit = int64_t{1} << 30; bit > 0; bit /= 2)
    if ((root + bit) * (root + bit) <= square) root += bit;
  return root;
}

/// The largest number of at most that many significant bits that is not above.
int64_t few_bits_down(int64_t value, int bits) {
  int64_t unit = 1;
  while (value / unit >= int64_t{1} << bits) unit *= 2;
  return value / unit * unit;
}

/// Squares of a row: numbers are multiples of `unit`, and sums of their squares are exact in fp32 in whatever order.
struct Row {
  std::vector<double> values;
  std::vector<bool> taken;
  int64_t rest;  ///< in squares of the unit
  double unit;

  /// The number, times a power of two that makes it a multiple of the unit. False if there is no room for it.
  bool put_scaled(int64_t column, double x) {
    for (int scale = 1; scale <= 64; scale *= 2)
      if (std::fmod(x * scale, unit) == 0) return put(column, x * scale);
    return false;
  }

  bool put(int64_t column, double x) {
    const auto steps = int64_t(std::fabs(x) / unit);
    if (taken[size_t(column)] || double(steps) * unit != std::fabs(x) || steps * steps > rest) return false;
    taken[size_t(column)] = true;
    values[size_t(column)] = x;
    rest -= steps * steps;
    return true;
  }
};

/// A row of that sum of squares, or nothing if it has too few columns for it.
std::optional<Row> row_of(const Sheet& sheet, const Choices& chosen, int64_t sum, double unit, int64_t number) {
  const auto n = size_t(sheet.columns);
  Row row{std::vector<double>(n, 0.0), std::vector<bool>(n, false), sum, unit};
  const int64_t room = sum / 4;  // of each kind, so that the rest can be made up
  for (const std::vector<Choice>* kind : {&chosen.ties, &chosen.pins}) {
    const int64_t before = row.rest;
    for (const Choice& one : *kind)
      if (before - row.rest < room) row.put_scaled(one.column, one.x);
    if (row.rest == before) return std::nullopt;  // none of them has a place
  }
  const int bits = sheet.format.mantissa_bits + 1;
  for (int64_t step = 0; step < sheet.columns && row.rest > 0; ++step) {
    const int64_t column = (step * 37 + number) % sheet.columns;
    if (row.taken[size_t(column)]) continue;
    const int64_t most = few_bits_down(integer_root(row.rest), bits);
    const auto wanted = int64_t((129 + 2 * double(sheet.random.below(64, number * sheet.columns + step, kValue))) / unit);
    row.put(column, double(wanted * wanted <= row.rest ? wanted : most) * unit);
  }
  if (row.rest != 0) return std::nullopt;
  for (size_t i = 0; i < n; ++i)
    if (sheet.random.coin(number * sheet.columns + int64_t(i), kSign)) row.values[i] = -row.values[i];
  return row;
}

}  // namespace

void tie_weights(Sheet& sheet) {
  for (size_t i = 0; i < sheet.values.size(); ++i) sheet.values[i] = tie_weight(sheet.format, int64_t(i));
}

void tie_weights_less_one(Sheet& sheet) {
  for (size_t i = 0; i < sheet.values.size(); ++i) sheet.values[i] = tie_weight(sheet.format, int64_t(i)) - 1;
}

void pinned_ties(Sheet& sheet) {
  if (sheet.rows == 0 || sheet.columns == 0) return;
  if (sheet.format.bits != 16)
    throw std::invalid_argument("fill pinned_ties: products in fp32 do not tie in " + std::string(sheet.format.name));
  const std::vector<double>& weights = sheet.operand("gamma", "pinned_ties");
  if (int64_t(weights.size()) != sheet.columns) throw std::invalid_argument("fill pinned_ties: gamma has another number of columns");
  // A mean of squares about 2^13, where eps is far below the last place; its sum in units of which fp32 holds every number up to it.
  ColumnsOfWeights columns;
  for (int64_t column = 0; column < sheet.columns; ++column) columns[float(std::fabs(weights[size_t(column)]))].push_back(column);
  double unit = 64;
  while (double(sheet.columns) * 0x1p13 / (unit / 2 * (unit / 2)) < 0x1p24) unit /= 2;
  constexpr int64_t kMostTries = 4000;
  for (int64_t number = 0; number < sheet.rows; ++number) {
    const Aim aim = number % 2 == 0 ? Aim::kAwayFromZero : Aim::kTowardZero;
    auto sum = int64_t(double(sheet.columns) * 0x1p13 / (unit * unit)) - sheet.random.below(int64_t{1} << 16, number, kPlace);
    std::optional<Row> row;
    for (int64_t tried = 0; tried < kMostTries && !row; ++tried, --sum) {
      const auto mean = float(double(sum) * unit * unit / double(sheet.columns));
      const Choices chosen = choices(sheet.format, columns, float(1 / std::sqrt(double(mean))), aim);
      if (chosen.serves()) row = row_of(sheet, chosen, sum, unit, number);
    }
    if (!row) throw std::invalid_argument("fill pinned_ties: too few columns, or weights that make no ties");
    std::copy(row->values.begin(), row->values.end(), sheet.values.begin() + std::ptrdiff_t(number * sheet.columns));
  }
}

}  // namespace assay::fills
