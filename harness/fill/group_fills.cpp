// Generators that fill one group at a time, depend on a norm's weights, or differ by rank.
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <vector>

#include "harness/fill/fill.h"
#include "harness/fill/fill_sheet.h"
#include "reference/formats/round.h"

namespace assay::fills {
namespace {

// Generators that first choose a group's amax, which determines its scale, and then choose its elements.

/// Values of amax at which some contract's lower bound of scales begins to apply, each with its two neighbours in the format.
/// The list also has 0 and the smallest subnormal.
std::vector<double> quiet_edges(const Sheet& sheet) {
  std::vector<double> edges = {0.0, neighbour(sheet.format, 0.0, 1)};
  for (const double floor : {1e-10, sheet.max_q() * 1e-10, 1e-4, sheet.max_q() * 0x1p-18, 0x1p-9}) {
    for (const int codes : {0, -1, 1}) edges.push_back(neighbour(sheet.format, floor, codes));
  }
  return edges;
}

void fill_group_with_normal(Sheet& sheet, const Group& group) {
  sheet.random.normals(group.begin, std::span(sheet.values).subspan(size_t(group.begin), size_t(group.end - group.begin)));
}

}  // namespace

double neighbour(const Format& format, double value, int codes) {
  const int32_t place = ordinal(format, nearest_code(format, value));
  return decode(format, code_from_ordinal(format, place + codes));
}

uint32_t nan_code(const Format& format, int64_t which) {
  const uint32_t canonical = code_of(format, std::nan(""));
  if (format.specials != Specials::kIeee) return canonical;
  const uint32_t negative = canonical | 1u << (format.bits - 1);
  const uint32_t smallest_payload = code_of(format, HUGE_VAL) + 1;  // smallest NaN payload: a conversion that truncates bits
                                                                    // turns it into Inf
  const uint32_t codes[] = {canonical, smallest_payload, negative};
  return codes[which % 3];
}

double sign_of_group(const Sheet& sheet, const Group& group) { return sheet.random.coin(group.number, kGroup) ? -1.0 : 1.0; }

void fill_group_with_amax(Sheet& sheet, const Group& group, double amax) {
  for (int64_t i = group.begin; i < group.end; ++i) {
    sheet.values[size_t(i)] = (sheet.random.coin(i, kSign) ? -1.0 : 1.0) * amax * sheet.random.uniform(i, kValue);
  }
  const int64_t place = group.begin + sheet.random.below(group.size(), group.number, kPlace);
  sheet.values[size_t(place)] = sign_of_group(sheet, group) * amax;
}

void quiet(Sheet& sheet) {
  const std::vector<double> edges = quiet_edges(sheet);
  constexpr int kLowest = -45, kHighest = -7;
  for_each_group(sheet, [&](const Group& group) {
    const int64_t turn = group.number / 2;
    // 17 and the number of binades are coprime, so a few groups already span the range
    const int exponent = kLowest + int(turn * 17 % (kHighest - kLowest + 1));
    const double swept = (1.0 + sheet.random.uniform(group.number, kGroup)) * power_of_two(exponent);
    fill_group_with_amax(sheet, group, group.number % 2 == 0 ? edges[size_t(turn) % edges.size()] : swept);
  });
}

void nan_beside_huge(Sheet& sheet) {
  huge(sheet);
  if (sheet.format.is_integer()) return;
  for_each_group(sheet, [&](const Group& group) {
    const int64_t place = group.begin + sheet.random.below(group.size(), group.number, kPlace);
    sheet.codes.push_back({place, nan_code(sheet.format, group.number)});
  });
}

void specials(Sheet& sheet) {
  const double smallest = neighbour(sheet.format, 0.0, 1);
  const bool has_nan = !sheet.format.is_integer();
  const bool has_infinity = sheet.format.specials == Specials::kIeee;
  for_each_group(sheet, [&](const Group& group) {
    fill_group_with_normal(sheet, group);
    const int64_t place = group.begin + sheet.random.below(group.size(), group.number, kPlace);
    const int64_t other = group.begin + (place - group.begin + 1) % group.size();
    const auto put_nan = [&](int64_t at) {
      if (has_nan) sheet.codes.push_back({at, nan_code(sheet.format, group.number / 8 + at)});
    };
    switch (group.number % 8) {
      case 0:
        put_nan(place);
        break;
      case 1:
        break;  // ordinary data
      case 2:
        if (has_infinity) sheet.values[size_t(place)] = HUGE_VAL;
        break;
      case 3:
        if (has_infinity) sheet.values[size_t(place)] = -HUGE_VAL;
        break;
      case 4:
        for (int64_t i = group.begin; i < group.end; ++i) {
          const double steps = double(sheet.random.below(5, i, kPick));  // 0 to 4 times the smallest subnormal, both signs
          sheet.values[size_t(i)] = (sheet.random.coin(i, kSign) ? -1.0 : 1.0) * steps * smallest;
        }
        break;
      case 5:
        for (int64_t i = group.begin; i < group.end; ++i) put_nan(i);
        break;
      case 6:
        if (has_infinity) sheet.values[size_t(other)] = HUGE_VAL;
        put_nan(place);
        break;
      case 7:
        for (int64_t i = group.begin; i < group.end; i += 2) sheet.values[size_t(i)] = -0.0;
        break;
    }
  });
}

/// Like specials, but without signalling NaN: v_max_f32 of AMD GPUs returns a signalling NaN operand, but ignores a quiet one.
void quiet_specials(Sheet& sheet) {
  const size_t before = sheet.codes.size();
  specials(sheet);
  if (sheet.format.specials != Specials::kIeee) return;
  for (size_t i = before; i < sheet.codes.size(); ++i) sheet.codes[i].second |= code_of(sheet.format, std::nan(""));
}

void lone(Sheet& sheet) {
  for_each_group(sheet, [&](const Group& group) {
    const double value =
        (1.0 + double(sheet.random.below(128, group.number, kValue)) * 0x1p-7) * power_of_two(int(group.number % 8));
    sheet.values[size_t(group.begin + group.number % group.size())] = sign_of_group(sheet, group) * value;
  });
}

void steps(Sheet& sheet) {
  for_each_group(sheet,
                 [&](const Group& group) { fill_group_with_amax(sheet, group, group.in_row % 2 == 0 ? 1.0 : sheet.max_q()); });
}

void distinct(Sheet& sheet) {
  const int low = std::max(-30, sheet.format.min_exponent());
  const int high = std::min(30, max_exponent(sheet.format));
  for_each_group(sheet, [&](const Group& group) {
    fill_group_with_amax(sheet, group, power_of_two(low + int((7 * group.row + group.in_row) % (high - low + 1))));
  });
}

void pow2_edge(Sheet& sheet) {
  const double largest = sheet.max_q();
  const int high = std::max(0, std::min(8, max_exponent(sheet.format) - max_exponent(sheet.q) - 1));
  for_each_group(sheet, [&](const Group& group) {
    const double scale = power_of_two(high - int(group.number / 5 % (high + 9)));  // 2^high down to 2^-8
    const double edge = largest * scale;
    const double amounts[] = {edge, neighbour(sheet.format, edge, -1), neighbour(sheet.format, edge, 1), 224.0 * scale,
                              240.0 * scale};
    fill_group_with_amax(sheet, group, amounts[group.number % 5]);
  });
}

void octaves(Sheet& sheet) {
  const double mantissas = power_of_two(sheet.format.mantissa_bits);
  for_each_group(sheet, [&](const Group& group) {
    const double amax = 1.0 + double(group.number * 7 % int64_t(mantissas)) / mantissas;
    for (int64_t i = group.begin; i < group.end; ++i) {
      const auto octave = int((i - group.begin) % 20);
      sheet.values[size_t(i)] = (i % 2 == 0 ? amax : -amax) * power_of_two(-octave);
    }
  });
}

namespace {

// Generators for norms: rows whose factor r is known exactly, with weights w that make products x * r * w exact ties.
//
// A norm rounds x * r * w to 16 bits, and a contract may accept several r. So a kernel that rounds ties away from zero looks like
// a kernel whose r is one ulp larger. To distinguish the two kernels, a row has two kinds of products for the same r. Some are
// exact ties. Others, the pins, are so close to a tie that one ulp of r moves them to its other side.

/// Of every kTurn columns, the first has the weight 0.75 or 1.5; the others have all significands of the format in turn.
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

/// x * r * w in fp32, rounded after each multiplication.
float product(float x, float r, float w) { return x * r * w; }

/// Number of low bits of an fp32 number that `format` drops.
int dropped_bits(const Format& format) { return 23 - format.mantissa_bits; }
bool is_tie(const Format& format, float y) {
  const uint32_t half = 1u << (dropped_bits(format) - 1);
  return (bits_of(y) & (2 * half - 1)) == half;
}
/// Whether a tie of the format is within a few fp32 ulp of y.
bool is_beside_tie(const Format& format, float y) {
  const uint32_t half = 1u << (dropped_bits(format) - 1), low = bits_of(y) & (2 * half - 1);
  return low + 4 > half && low < half + 4;
}
/// Whether the truncated code is odd, which decides in which direction a tie rounds.
bool is_odd_below(const Format& format, float y) { return (bits_of(y) >> dropped_bits(format) & 1) != 0; }
double rounded(const Format& format, float y) { return round_to(format, y, Rounding::kNearestEven, Overflow::kSaturate); }

/// A value of x for a column, chosen for the weight of that column.
struct Choice {
  float x;
  int64_t column;
};

/// The mistake that a row detects: ties rounded away from zero where RNE rounds toward zero, or the opposite.
enum class Aim { kAwayFromZero, kTowardZero };

struct Choices {
  std::vector<Choice> ties, pins;
  bool serves() const { return !ties.empty() && !pins.empty(); }
};

/// weight -> columns
using ColumnsOfWeights = std::map<float, std::vector<int64_t>>;

/// For each weight, values of x whose products are ties, and values whose products cross a tie if r changes by one ulp.
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

/// A row under construction. Its values are multiples of `unit`, so that sums of their squares are exact in fp32 in any order.
struct Row {
  std::vector<double> values;
  std::vector<bool> taken;
  int64_t rest;  ///< sum of squares that is still to be added, in unit^2
  double unit;

  /// Stores x times a power of two that makes it a multiple of the unit. Returns false if the square exceeds the sum that
  /// remains.
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

/// A row whose squares sum to `sum` * unit^2; nothing if the row has too few columns.
std::optional<Row> row_of(const Sheet& sheet, const Choices& chosen, int64_t sum, double unit, int64_t number) {
  const auto n = size_t(sheet.columns);
  Row row{std::vector<double>(n, 0.0), std::vector<bool>(n, false), sum, unit};
  const int64_t room = sum / 4;  // limit on the squares of each kind; the other columns must still reach the sum
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
    throw std::invalid_argument("fill pinned_ties: expected a format of 16 bits, got " + std::string(sheet.format.name));
  const std::vector<double>& weights = sheet.operand("gamma", "pinned_ties");
  if (int64_t(weights.size()) != sheet.columns)
    throw std::invalid_argument("fill pinned_ties: expected gamma and x with the same number of columns");
  // The mean square is near 2^13, so that adding eps does not change it. The sum of squares is counted in unit^2, and `unit` is
  // chosen so that it is below 2^24 and exact in fp32.
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
    if (!row)
      throw std::invalid_argument(
          "fill pinned_ties: found no row with ties; x has too few columns, or no product with its weights (gamma) is a tie");
    std::copy(row->values.begin(), row->values.end(), sheet.values.begin() + std::ptrdiff_t(number * sheet.columns));
  }
}

namespace {

// Generators for all-reduce inputs. Each rank knows its number and the number of ranks; values that ranks must agree on come from
// a shared stream.

int64_t rank_of_element(const Sheet& sheet, int64_t i, uint32_t lane) { return sheet.shared.below(sheet.ranks, i, lane); }

/// A random rank other than `rank`.
int64_t other_than(const Sheet& sheet, int64_t rank, int64_t i, uint32_t lane) {
  return (rank + 1 + sheet.shared.below(std::max(1, sheet.ranks - 1), i, lane)) % sheet.ranks;
}

double least(const Format& format) { return power_of_two(format.min_exponent() - format.mantissa_bits); }

/// This rank's value of element i. The values of all ranks together are combination i % 16 of sixteen combinations of special
/// values.
double special(const Sheet& sheet, int64_t i) {
  const Format& f = sheet.format;
  const int64_t chosen = rank_of_element(sheet, i, kPick), other = other_than(sheet, chosen, i, kPlace);
  const bool own = sheet.rank == chosen;
  const double infinity = std::numeric_limits<double>::infinity(), sign = sheet.random.coin(i, kSign) ? -1 : 1;
  const double subnormal = least(f) * double(1 + sheet.random.below((1 << std::min(f.mantissa_bits, 20)) - 1, i, kValue));
  const std::array<double, 16> situations = {
      own ? std::nan("") : 1.0,  // NaN on one rank
      own ? infinity : -1.0,     // Inf on one rank
      own                   ? infinity
      : sheet.rank == other ? -infinity
                            : 1.0,                   // Inf of both signs, on two ranks
      -0.0,                                          // all -0
      0.0,                                           // all +0
      sheet.random.coin(i, kExponent) ? -0.0 : 0.0,  // mixed zeros
      own ? -0.0 : 0.0,                              // -0 on one rank
      -least(f),                                     // the negative subnormal whose code follows that of -0
      sign * subnormal,                              // any subnormal
      own ? -least(f) : 0.0,                         // subnormal on one rank, zero on the others
      own ? sign * subnormal : -0.0,                 // one subnormal, other ranks -0
      sign * power_of_two(f.min_exponent()),         // smallest normal number
      own ? max_finite(f) : -0.0,                    // largest finite number on one rank
      own                   ? subnormal
      : sheet.rank == other ? -subnormal
                            : -0.0,  // subnormals on two ranks
      sheet.random.normal(i),
      sheet.random.normal(i) * power_of_two(-8),
  };
  return situations[size_t(i % 16)];
}

}  // namespace

void rank_integers(Sheet& sheet) {
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) {
    const double magnitude = double(1 + sheet.random.below(15, i, kValue));
    sheet.values[size_t(i)] = sheet.random.coin(i, kSign) ? -magnitude : magnitude;
  }
}

void rank_counts(Sheet& sheet) {
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i)
    sheet.values[size_t(i)] = double(1 + sheet.random.below(15, i, kValue));
}

void ranks_alike(Sheet& sheet) {
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) sheet.values[size_t(i)] = double(i % 23);
}

void rank_cancel(Sheet& sheet) {
  const int exponent = std::min(24, max_exponent(sheet.format));
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) {
    const int64_t up = rank_of_element(sheet, i, kPick), down = other_than(sheet, up, i, kPlace);
    const double large = (1 + double(sheet.shared.below(64, i, kValue)) / 128) * power_of_two(exponent);
    sheet.values[size_t(i)] = sheet.rank == up ? large : sheet.rank == down ? -large : sheet.random.normal(i);
  }
}

void rank_overflow(Sheet& sheet) {
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) {
    // Half of the ranks, beginning with a random one, are positive.
    const int64_t place = (sheet.rank + rank_of_element(sheet, i, kPick)) % sheet.ranks;
    const double magnitude = max_finite(sheet.format) * (1 - double(sheet.random.below(32, i, kValue)) / 256);
    sheet.values[size_t(i)] = 2 * place < sheet.ranks ? magnitude : -magnitude;
  }
}

void rank_specials(Sheet& sheet) {
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) sheet.values[size_t(i)] = special(sheet, i);
}

}  // namespace assay::fills
