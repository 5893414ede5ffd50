// Reads recorded results of tensor cores, and computes intervals of instructions with undocumented truncations.
#include "reference/units/unit_recordings.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>

#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "reference/table/table.h"
#include "reference/units/unit_definition.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

/// How the numbers of a file are converted to their format. Only addends may need rounding, because the recording program rounded
/// them before use.
enum class Fit { kExact, kNearest };

/// The numbers of a file, which holds f32 words, as codes of a format.
class Words {
 public:
  Words(const fs::path& file, int base, const Format& format, Fit fit = Fit::kExact)
      : file_(file.string()), base_(base), format_(format), fit_(fit) {
    std::istringstream in(read_text(file_));
    for (std::string line; std::getline(in, line);) lines_.push_back(std::move(line));
  }
  size_t size() const { return lines_.size(); }
  const std::string& file() const { return file_; }

  std::vector<uint32_t> line(size_t i) const {
    std::vector<uint32_t> codes;
    std::istringstream words(lines_[i]);
    for (std::string word; words >> word;) codes.push_back(code(word, i));
    if (codes.empty()) throw error(i, "empty line: expected f32 codes");
    return codes;
  }
  uint32_t number(size_t i) const {
    const std::vector<uint32_t> codes = line(i);
    if (codes.size() != 1) throw error(i, "expected one code, got " + std::to_string(codes.size()));
    return codes[0];
  }

 private:
  std::runtime_error error(size_t line, const std::string& problem) const {
    return std::runtime_error(file_ + ":" + std::to_string(line + 1) + ": " + problem);
  }
  uint32_t code(const std::string& word, size_t line) const {
    uint32_t bits = 0;
    const char* const last = word.data() + word.size();
    const auto [end, status] = std::from_chars(word.data(), last, bits, base_);
    if (status != std::errc() || end != last || word.size() != (base_ == 16 ? 8u : 32u))
      throw error(line, "'" + word + "': expected an f32 code of " + (base_ == 16 ? "8 hexadecimal" : "32 binary") + " digits");
    try {
      const double value = decode(kF32, bits);
      return code_of(format_, fit_ == Fit::kExact ? value : round_to(format_, value, Rounding::kNearestEven, Overflow::kSpecial));
    } catch (const std::domain_error&) {
      throw error(line, "'" + word + "' is not a value of " + std::string(format_.name));
    }
  }

  std::string file_;
  int base_;
  const Format& format_;
  Fit fit_;
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<RecordedUnit> load_recorded_units(const std::string& file) {
  const Table table = read_table(file);
  const std::vector<std::string> columns = {"unit", "gpu", "format", "d", "c", "why"};
  table.require_columns(columns);
  table.allow_columns(columns);
  std::vector<RecordedUnit> all;
  for (const TableRow& row : table.rows) {
    const std::string& c = table.text(row, "c");
    if (c != "given" && c != "zero") throw table.error(row, "c", "'" + c + "' is not one of: given, zero");
    all.push_back(
        {table.text(row, "unit"), table.text(row, "gpu"), table.text(row, "format"), table.text(row, "d"), c == "zero"});
  }
  return all;
}

std::vector<RecordedSet> recorded_sets(const std::string& folder) {
  if (!fs::is_directory(folder)) throw std::runtime_error(folder + ": no such folder");
  std::vector<RecordedSet> sets;
  for (const fs::directory_entry& gpu : fs::directory_iterator(folder)) {
    if (!gpu.is_directory()) continue;
    for (const fs::directory_entry& format : fs::directory_iterator(gpu)) {
      if (!format.is_directory()) continue;
      const std::string name = gpu.path().filename().string();
      for (const char* d : {"fp32", "fp16"})
        if (fs::exists(format.path() / ("d_" + name + "_" + d + ".txt")))
          sets.push_back({format.path().string(), name, format.path().filename().string(), d});
    }
  }
  if (sets.empty())
    throw std::runtime_error(folder + ": holds no data set: expected GPU/FORMAT/d_GPU_fp32.txt or d_GPU_fp16.txt");
  std::sort(sets.begin(), sets.end(), [](const RecordedSet& x, const RecordedSet& y) { return x.name() < y.name(); });
  return sets;
}

RecordedMatches match_recorded(const Unit& unit, bool c_is_zero, const RecordedSet& set) {
  const fs::path folder = set.folder;
  const Words a(folder / ("a_" + set.gpu + "_" + set.format + ".txt"), 16, *unit.a);
  const Words b(folder / ("b_" + set.gpu + "_" + set.format + ".txt"), 16, *unit.b);
  const Words d(folder / ("d_" + set.gpu + "_" + set.d + ".txt"), 2, *unit.d);
  const Words c(folder / ("c_" + set.gpu + "_fp32.txt"), 2, *unit.d, Fit::kNearest);
  for (const Words* other : {&b, &c, &d})
    if (other->size() != a.size())
      throw std::runtime_error(other->file() + ": has " + std::to_string(other->size()) + " lines, " + a.file() + " has " +
                               std::to_string(a.size()));
  RecordedMatches result;
  for (size_t i = 0; i < a.size(); ++i) {
    const std::vector<uint32_t> one = a.line(i), other = b.line(i);
    if (one.size() != other.size())
      throw std::runtime_error(b.file() + ":" + std::to_string(i + 1) + ": has " + std::to_string(other.size()) + " words, " +
                               a.file() + " has " + std::to_string(one.size()));
    const uint32_t predicted = defined_element(unit, {one, other}, c_is_zero ? 0 : c.number(i)), recorded = d.number(i);
    ++result.vectors;
    if (predicted == recorded) {
      ++result.matches;
    } else if (result.first_line == 0) {
      result.first_line = int64_t(i) + 1;
      result.recorded = recorded;
      result.predicted = predicted;
    }
  }
  return result;
}

namespace {

// Replacements for functions of <cmath>, which are calls if compiled for a generic processor and took most of the time.

/// True if |x| < 2^52: x may then have a fraction, and fits in a 64-bit integer.
bool can_have_fraction(double x) { return std::fabs(x) < 0x1p52; }
double truncated(double x) { return can_have_fraction(x) ? std::copysign(double(int64_t(x)), x) : x; }
double floored(double x) {
  const double whole = truncated(x);
  return whole > x ? whole - 1 : whole;
}
/// Rounds to nearest even by adding 2^52: doubles of 2^52 and more have no fraction.
double to_nearest_even(double x) { return can_have_fraction(x) ? std::copysign((std::fabs(x) + 0x1p52) - 0x1p52, x) : x; }

/// Removes the bits below 2^step.
///
/// All sums here are of FP8 products, in f32 or a few bits more. So 2^step and 2^-step are normal doubles, and multiplying by
/// them is exact. Only if all terms are zero is 2^step no double, because `step` then follows from kNoExponent.
class Cut {
 public:
  __attribute__((always_inline)) Cut(int step, BitLoss loss)
      : up_(power_of_two(-step)), down_(power_of_two(step)), floors_(loss == BitLoss::kFloor) {}

  __attribute__((always_inline)) double operator()(double x) const {
    if (x == 0) return x;
    const double steps = x * up_;
    return (floors_ ? floored(steps) : truncated(steps)) * down_;
  }
  /// The interval that contains x and the truncated x.
  __attribute__((always_inline)) Span either(Span x) const {
    return {std::min(x.low, (*this)(x.low)), std::max(x.high, (*this)(x.high))};
  }

 private:
  double up_, down_;
  bool floors_;
};

Span plus(Span x, Span y) { return {x.low + y.low, x.high + y.high}; }

double largest(Span x) { return std::max(std::fabs(x.low), std::fabs(x.high)); }

/// The largest f32 value that is not above a double, and the smallest that is not below it.
double below(double x) {
  const auto near = float(x);
  return double(near) > x ? double(std::nextafter(near, -std::numeric_limits<float>::infinity())) : double(near);
}
double above(double x) { return -below(-x); }

}  // namespace

bool can_be_replayed(const Unit& unit) {
  return unit.known() && unit.sum == ProductSum::kAligned && unit.group == 1 && (!unit.scale || *unit.scale == kE8M0) && unit.a->bits <= 8 &&
         unit.b->bits <= 8 && unit.join != AccumulatorJoin::kAdded && unit.exponent == TermExponent::kSum && !unit.flush &&
         unit.product_limit == 0 && unit.d->bits == 32;
}

Replay::Replay(const Unit& unit) : unit_(unit), a_{}, b_{}, order_{} {
  if (!can_be_replayed(unit))
    throw std::invalid_argument("unit " + unit.id +
                                " is not supported here: expected one-byte operands, no scales or e8m0 scales, an aligned sum "
                                "(ea+eb) without group, flush or inf(E), and a 32-bit d");
  a_ = factors_of(*unit.a), b_ = factors_of(*unit.b);
  order_ = product_order(unit);
  terms_.resize(order_.size());
}

std::array<Replay::Factor, 256> Replay::factors_of(const Format& format) const {
  const int least = (unit_.exponents_in ? *unit_.exponents_in : format).min_exponent();
  std::array<Factor, 256> all{};
  for (uint32_t code = 0; code < uint32_t{1} << format.bits; ++code) {
    const double value = decode(format, code);
    all[code] = {value, value == 0 || !std::isfinite(value) ? least : std::max(std::ilogb(value), least)};
  }
  return all;
}

int Replay::exponent_of(Span c) const {
  const double most = largest(c);
  return most == 0 ? unit_.d->min_exponent() : std::max(binade_of(most), unit_.d->min_exponent());
}

int Replay::least_exponent_of(Span c) const {
  if (c.low <= 0 && c.high >= 0) return unit_.d->min_exponent();
  return exponent_of(point(std::min(std::fabs(c.low), std::fabs(c.high))));
}

Replay::Sum Replay::aligned(const Term* terms, int count, int least) const {
  int exponent = std::max(least, unit_.least_exponent);
  for (int i = 0; i < count; ++i)
    if (unit_.zeros_count || terms[i].value != 0) exponent = std::max(exponent, terms[i].exponent);
  // A product is a multiple of 2^(its exponent - mantissa bits of both factors). So if its exponent is at least `whole`, it loses
  // no bit.
  const int whole = exponent - unit_.fraction_bits + unit_.a->mantissa_bits + unit_.b->mantissa_bits;
  const Cut cut(exponent - unit_.fraction_bits, unit_.loss);
  Span sum{0, 0};
  double magnitudes = 0;
  int least_exponent = std::numeric_limits<int>::max();
  for (int i = 0; i < count; ++i) {
    const double value = terms[i].value;
    if (value == 0) continue;
    least_exponent = std::min(least_exponent, terms[i].exponent);
    const double left = terms[i].exponent >= whole ? value : cut(value);
    sum = plus(sum, {std::min(value, left), std::max(value, left)});
    magnitudes += std::fabs(value);
  }
  // All products are multiples of one power of two. While sums stay below 2^53 times this power, they are exact. Otherwise each
  // addition has an error of at most 2^-53 of the sum of magnitudes.
  const int fraction_bits = unit_.a->mantissa_bits + unit_.b->mantissa_bits;
  const double slack = magnitudes == 0 || magnitudes < std::ldexp(1.0, 53 + least_exponent - fraction_bits) ? 0 : magnitudes * power_of_two(-53) * 2 * count;
  return {{sum.low - slack, sum.high + slack}, exponent};
}

Span Replay::rounded(Span sum, bool to_nearest, int bits) const {
  const auto one = [&](double x) {
    if (x == 0) return x;
    const int step = std::max(binade_of(x), unit_.d->min_exponent()) - bits;
    return to_nearest ? to_nearest_even(x * power_of_two(-step)) * power_of_two(step) : Cut(step, BitLoss::kTruncate)(x);
  };
  const double low = one(sum.low), high = sum.high == sum.low ? low : one(sum.high);
  return {std::min(sum.low, low), std::max(sum.high, high)};
}

Span Replay::joined(const Term* terms, Span c) {
  const int part = unit_.take / unit_.splits;
  sums_.clear();
  for (int first = 0; first < unit_.take; first += part) sums_.push_back(aligned(terms + first, part, kNoExponent));
  int of_sum = sums_.front().exponent;
  for (const Sum& one : sums_) of_sum = std::max(of_sum, one.exponent);
  Span sum{0, 0};
  for (const Sum& one : sums_)
    sum = plus(sum, unit_.splits > 1 ? Cut(of_sum - unit_.join_fraction_bits, unit_.join_loss).either(one.span) : one.span);
  const int of_c = exponent_of(c), exponent = std::max(of_sum, of_c);
  Span c_part = Cut(exponent - unit_.c_fraction_bits, unit_.c_loss).either(c);
  const bool may_drop = unit_.c_drop != 0 && least_exponent_of(c) < exponent - unit_.c_drop;
  if (may_drop) c_part = {std::min(c_part.low, 0.0), std::max(c_part.high, 0.0)};
  return plus(Cut(exponent - unit_.sum_fraction_bits, unit_.c_loss).either(sum), c_part);
}

Span Replay::block(const Term* terms, Span c) {
  Span sum;
  if (unit_.join == AccumulatorJoin::kJoined) {
    sum = joined(terms, c);
  } else {
    const int of_c = unit_.zeros_count || largest(c) != 0 ? exponent_of(c) : kNoExponent;
    const Sum products = aligned(terms, unit_.take, of_c);
    sum = plus(products.span, Cut(products.exponent - unit_.fraction_bits, unit_.loss).either(c));
  }
  return rounded(sum, unit_.rounding == ResultRounding::kNearestEven, unit_.result_bits);
}

namespace {

bool are_zero(const std::byte* codes, int64_t count) {
  return std::all_of(codes, codes + count, [](std::byte code) { return code == std::byte{0}; });
}

bool is_same(double x, double y) { return std::isnan(x) ? std::isnan(y) : x == y && std::signbit(x) == std::signbit(y); }
bool is_same(Span x, Span y) { return is_same(x.low, y.low) && is_same(x.high, y.high); }

}  // namespace

Span Replay::instruction(const std::byte* a, const std::byte* b, Scales scales, int64_t products, Span c) {
  double special = 0;
  for (size_t i = 0; i < order_.size(); ++i) {
    const int k = order_[i];
    const Factor &x = a_[k < products ? size_t(a[k]) : 0], &y = b_[k < products ? size_t(b[k]) : 0];
    terms_[i] = {x.value * y.value, x.exponent + y.exponent};
    if (scales.a && k < products) {  // powers of two: the product stays exact
      const auto block = size_t(k / unit_.scale_block);
      const double sa = decode(*unit_.scale, uint32_t(scales.a[block])), sb = decode(*unit_.scale, uint32_t(scales.b[block]));
      terms_[i].value *= sa * sb;
      if (std::isfinite(terms_[i].value)) terms_[i].exponent += std::ilogb(sa) + std::ilogb(sb);
    }
    if (!std::isfinite(terms_[i].value)) special += terms_[i].value;
  }
  if (!std::isfinite(c.low)) special += c.low;
  if (special != 0) return point(special);
  Span d = unit_.c_last ? Span{0, 0} : c;
  bool settled = false;  // if a block of zeros leaves d unchanged, so do the blocks of zeros after it
  for (size_t i = 0; i < terms_.size(); i += size_t(unit_.take)) {
    const auto first = terms_.begin() + ptrdiff_t(i);
    const bool zeros = !unit_.zeros_count && std::all_of(first, first + unit_.take, [](const Term& term) { return term.value == 0; });
    if (zeros && settled) continue;
    const Span before = d;
    d = block(&*first, d);
    settled = zeros && is_same(before, d);
  }
  return unit_.c_last ? rounded(plus(c, d), true, unit_.d->mantissa_bits) : d;
}

/// For some orders, k is padded with instructions whose codes are all zero. If one of them leaves c unchanged, the following ones
/// leave it unchanged too.
Span Replay::advanced(const std::byte* a, const std::byte* b, Scales scales, int64_t products, Span c) {
  if ((unit_.scale != nullptr) != (scales.a != nullptr))
    throw std::invalid_argument("unit " + unit_.id + (unit_.scale ? " needs scales" : " takes no scales"));
  bool settled = false;
  for (int64_t k = 0; k < products; k += unit_.k) {
    const int64_t count = std::min<int64_t>(unit_.k, products - k);
    const bool zeros = !scales.a && are_zero(a + k, count) && are_zero(b + k, count);  // not with scales: a scale may be NaN
    if (zeros && settled) continue;
    const Span before = c;
    const int64_t block = scales.a ? k / unit_.scale_block : 0;
    c = instruction(a + k, b + k, scales.a ? Scales{scales.a + block, scales.b + block} : Scales{}, products - k, c);
    settled = zeros && is_same(before, c);
  }
  return c;
}

Span Replay::ended(Span c) { return std::isfinite(c.low) ? Span{below(c.low), above(c.high)} : c; }

}  // namespace assay
