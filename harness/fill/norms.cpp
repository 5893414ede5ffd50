// Generators for norms: rows whose factor r is known exactly, with weights that put products on ties.
//
// A product x r w is rounded to 16 bits, and r may differ by a few ulp. So a kernel that rounds every tie away from zero looks
// like a kernel whose r is one ulp larger. To separate the two, a row holds both kinds of product for the same r: some are exact
// ties, and others are so close to a tie that one ulp of r moves them to its other side.
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

/// Weights without ties: this many of every four columns.
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

/// x r w with both products rounded to fp32.
float product(float x, float r, float w) { return x * r * w; }

/// Number of low bits of an fp32 number that `format` drops.
int dropped_bits(const Format& format) { return 23 - format.mantissa_bits; }
bool is_tie(const Format& format, float y) {
  const uint32_t half = 1u << (dropped_bits(format) - 1);
  return (bits_of(y) & (2 * half - 1)) == half;
}
/// Whether a tie is within a few ulp of the fp32 number.
bool is_beside_tie(const Format& format, float y) {
  const uint32_t half = 1u << (dropped_bits(format) - 1), low = bits_of(y) & (2 * half - 1);
  return low + 4 > half && low < half + 4;
}
/// Whether the truncated code is odd; it decides which way a tie rounds.
bool is_odd_below(const Format& format, float y) { return (bits_of(y) >> dropped_bits(format) & 1) != 0; }
double rounded(const Format& format, float y) { return round_to(format, y, Rounding::kNearestEven, Overflow::kSaturate); }

/// A value of x for a weight.
struct Choice {
  float x;
  int64_t column;
};

/// The rounding error that a row detects: ties that move up where RNE goes down, or down where RNE goes up.
enum class Aim { kAwayFromZero, kTowardZero };

struct Choices {
  std::vector<Choice> ties, pins;
  bool serves() const { return !ties.empty() && !pins.empty(); }
};

/// weight -> columns
using ColumnsOfWeights = std::map<float, std::vector<int64_t>>;

/// For each weight, values of x that give ties, and values that one ulp of r moves across a tie.
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

/// Floor of the square root, in integer arithmetic.
int64_t integer_root(int64_t square) {
  int64_t root = 0;
  for (int64_t bit = int64_t{1} << 30; bit > 0; bit /= 2)
    if ((root + bit) * (root + bit) <= square) root += bit;
  return root;
}

/// The largest number with at most `bits` significant bits that does not exceed `value`.
int64_t few_bits_down(int64_t value, int bits) {
  int64_t unit = 1;
  while (value / unit >= int64_t{1} << bits) unit *= 2;
  return value / unit * unit;
}

/// Values of a row under construction: multiples of `unit`, so that sums of their squares are exact in fp32 in any order.
struct Row {
  std::vector<double> values;
  std::vector<bool> taken;
  int64_t rest;  ///< remaining sum of squares, in unit^2
  double unit;

  /// Stores x times a power of two that makes it a multiple of the unit. Returns false if the remaining sum is too small.
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

/// A row with that sum of squares; nothing if it has too few columns.
std::optional<Row> row_of(const Sheet& sheet, const Choices& chosen, int64_t sum, double unit, int64_t number) {
  const auto n = size_t(sheet.columns);
  Row row{std::vector<double>(n, 0.0), std::vector<bool>(n, false), sum, unit};
  const int64_t room = sum / 4;  // limit per kind, so that the rest can be completed
  for (const std::vector<Choice>* kind : {&chosen.ties, &chosen.pins}) {
    const int64_t before = row.rest;
    for (const Choice& one : *kind)
      if (before - row.rest < room) row.put_scaled(one.column, one.x);
    if (row.rest == before) return std::nullopt;  // no value fits
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
  // A mean of squares near 2^13, where eps is far below the last place. The sum is in units whose multiples fp32 represents
  // exactly.
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
