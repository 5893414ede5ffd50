// Reads and checks the rows of contracts/casts.csv.
#include "reference/casts/cast_profile.h"

#include <cmath>
#include <cstdlib>
#include <map>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "reference/table/near.h"

namespace assay {

// Finds the code of a number by searching the values of a format.

namespace {

/// The finite values of a format by their position in ascending order, plus one position beyond each end. Values of narrow
/// formats are cached.
class Ladder {
 public:
  explicit Ladder(const Format& f)
      : f_(f),
        highest_(ordinal_of_value(f, max_finite(f))),
        lowest_(!f.has_sign()    ? 0
                : f.is_integer() ? -highest_ - 1
                                 : ordinal_of_value(f, -max_finite(f))) {
    if (f.bits > 16) return;
    std::vector<double> values;
    for (int32_t o = lowest_ - 1; o <= highest_ + 1; ++o) values.push_back(computed(o));
    values_ = std::move(values);
  }

  int32_t lowest() const { return lowest_; }
  int32_t highest() const { return highest_; }

  double at(int32_t o) const { return values_.empty() ? computed(o) : values_[size_t(o - lowest_ + 1)]; }

  /// The last position whose value is at most x; if there is none, the position below the lowest value.
  int32_t at_or_below(double x) const {
    int32_t low = lowest_ - 1, high = highest_;
    while (low < high) {
      const auto middle = int32_t(high - (int64_t{high} - low) / 2);
      if (at(middle) <= x)
        low = middle;
      else
        high = middle - 1;
    }
    return low;
  }

  bool is_even(int32_t o) const {
    const int64_t magnitude = o < 0 && !f_.is_integer() ? -int64_t{o} - 1 : o;
    return magnitude % 2 == 0;
  }

  uint32_t code(int32_t o) const { return is_absent_zero(o) ? 0u : code_from_ordinal(f_, o); }

 private:
  /// Computes the value at position o. Beyond the ends, values continue with the distance of the last two values; in formats
  /// without mantissa bits, each is twice the one before.
  double computed(int32_t o) const {
    if (o > highest_) return f_.mantissa_bits == 0 ? 2 * computed(highest_) : 2 * computed(highest_) - computed(highest_ - 1);
    if (o < lowest_) return 2 * computed(lowest_) - computed(lowest_ + 1);
    return is_absent_zero(o) ? 0.0 : decode(f_, code_from_ordinal(f_, o));
  }
  bool is_absent_zero(int32_t o) const { return o == -1 && f_.specials == Specials::kFnuz; }

  const Format& f_;
  int32_t highest_, lowest_;
  std::vector<double> values_{};  ///< of all positions, from the one below the lowest; empty: computed each time
};

const Ladder& ladder_of(const Format& format) {
  static const auto ladders = [] {
    std::map<std::string_view, Ladder> all;
    for (const Format& f : all_formats()) all.try_emplace(f.name, f);
    return all;
  }();
  return ladders.at(format.name);
}

/// Whether x, which lies strictly between two neighbouring values, rounds up.
bool goes_up(const Ladder& ladder, int32_t below, double x, Rounding rounding, bool tie_goes_up) {
  const double low = ladder.at(below), middle = low + (ladder.at(below + 1) - low) / 2;
  switch (rounding) {
    case Rounding::kDown:
      return false;
    case Rounding::kUp:
      return true;
    case Rounding::kTowardZero:
      return x < 0;
    case Rounding::kNearestAway:
      return x == middle ? x > 0 : x > middle;
    case Rounding::kNearestEven:
      return x == middle ? tie_goes_up || ladder.is_even(below + 1) : x > middle;
  }
  return false;
}

}  // namespace

std::optional<uint32_t> encode_finite(const Format& f, double value, Rounding rounding) {
  const double x = f.has_sign() ? value : std::fabs(value);
  const Ladder& ladder = ladder_of(f);
  const bool no_zero = f.specials == Specials::kScale;
  if (no_zero && x <= ladder.at(ladder.lowest())) return ladder.code(ladder.lowest());
  int32_t place = ladder.at_or_below(x);
  if (place < ladder.lowest() || x != ladder.at(place)) {
    // Two or more positions beyond the end, the distance no longer matters: only rounding toward zero returns the largest
    // value.
    const bool far = x > ladder.at(ladder.highest() + 1) || (place < ladder.lowest() && x < ladder.at(place));
    if (far) {
      const bool inward =
          rounding == Rounding::kTowardZero || (rounding == Rounding::kDown && x > 0) || (rounding == Rounding::kUp && x < 0);
      if (!inward) return std::nullopt;
      return ladder.code(x > 0 ? ladder.highest() : ladder.lowest());
    }
    place += goes_up(ladder, place, x, rounding, no_zero) ? 1 : 0;
  }
  if (place > ladder.highest() || place < ladder.lowest()) return std::nullopt;
  const bool is_zero = ladder.at(place) == 0;
  return is_zero ? code_of(f, std::copysign(0.0, x)) : ladder.code(place);
}

uint32_t largest_code(const Format& f, bool negative) {
  if (f.is_integer()) return code_of(f, negative ? -max_finite(f) - 1 : max_finite(f));
  return code_of(f, negative && f.has_sign() ? -max_finite(f) : max_finite(f));
}

uint32_t special_code(const Format& f, bool negative) {
  switch (f.specials) {
    case Specials::kIeee:
      return code_of(f, negative ? -HUGE_VAL : HUGE_VAL);
    case Specials::kFn:
      return code_of(f, std::nan("")) | (negative ? 1u << (f.bits - 1) : 0u);
    case Specials::kFnuz:
    case Specials::kScale:
    case Specials::kUnsigned:
      return code_of(f, std::nan(""));
    case Specials::kFinite:
    case Specials::kInteger:
    case Specials::kBits:
      break;
  }
  return largest_code(f, negative);
}

uint32_t encode(const Format& f, double value, Rounding rounding, Overflow overflow) {
  if (std::isnan(value)) return code_of(f, value);
  if (!std::isinf(value))
    if (const std::optional<uint32_t> code = encode_finite(f, value, rounding)) return *code;
  return overflow == Overflow::kSaturate ? largest_code(f, value < 0) : special_code(f, value < 0);
}

std::optional<uint32_t> encode_stochastic(const Format& f, double value, uint64_t random, int random_bits) {
  const Ladder& ladder = ladder_of(f);
  const double magnitude = std::fabs(value);
  const int32_t below = ladder.at_or_below(magnitude);
  if (below > ladder.highest() || magnitude >= ladder.at(ladder.highest() + 1)) return std::nullopt;
  const double low = ladder.at(below), step = ladder.at(below + 1) - low;
  // exact: x exceeds its lower neighbour by at most its own size, and `step` is a power of two
  const double fraction = (magnitude - low) / step, needed = 1 - std::ldexp(double(random), -random_bits);
  const int32_t place = below + (fraction >= needed ? 1 : 0);
  if (place > ladder.highest()) return std::nullopt;
  const double rounded = ladder.at(place);
  return code_of(f, value < 0 && f.has_sign() ? -rounded : rounded);
}

std::span<const CastSource> cast_sources() {
  static constexpr CastSource sources[] = {{"f32", 32, 23}, {"bf16", 16, 7}, {"f16", 16, 10}, {"f64", 64, 52}};
  return sources;
}

const CastSource* find_cast_source(std::string_view name) {
  for (const CastSource& source : cast_sources())
    if (source.name == name) return &source;
  return nullptr;
}

double value_of(const CastSource& s, uint64_t pattern) {
  const uint64_t rest = pattern & (s.sign() - 1), mantissa = rest & ((uint64_t{1} << s.mantissa_bits) - 1);
  if (rest > s.infinity()) return std::nan("");
  const int field = int(rest >> s.mantissa_bits), bias = (1 << (s.bits - s.mantissa_bits - 2)) - 1;
  const uint64_t hidden = field > 0 ? uint64_t{1} << s.mantissa_bits : 0;
  const double magnitude =
      rest == s.infinity() ? HUGE_VAL : std::ldexp(double(hidden + mantissa), (field > 0 ? field : 1) - bias - s.mantissa_bits);
  return pattern & s.sign() ? -magnitude : magnitude;
}

namespace {

double through(const std::vector<CastStep>& steps, double x) {
  for (const CastStep& step : steps) x = step.of(x);
  return x;
}

uint32_t beyond(const CastProfile& p, Beyond rule, bool negative) {
  return rule == Beyond::kLargest ? largest_code(*p.format, negative) : special_code(*p.format, negative);
}

uint32_t encode_number(const CastProfile& p, double x) {
  if (std::isinf(x)) return beyond(p, p.infinity, x < 0);
  if (p.overflow == Beyond::kSpecialAboveLargest && std::fabs(x) > max_finite(*p.format)) return special_code(*p.format, x < 0);
  const std::optional<uint32_t> code = encode_finite(*p.format, x, p.rounding);
  if (!code) return beyond(p, p.overflow, x < 0);
  return p.after.empty() ? *code : code_of(*p.format, through(p.after, decode(*p.format, *code)));
}

/// Number of the source's non-negative patterns, up to Inf, that satisfy a condition. They must be the lowest patterns: where the
/// condition fails, it also fails for all higher patterns.
template <class Holds>
uint64_t patterns_below(const CastSource& source, Holds holds) {
  uint64_t low = 0, high = source.infinity() + 1;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    if (holds(value_of(source, middle)))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

}  // namespace

double CastStep::of(double x) const {
  switch (kind) {
    case kRound:
      return round_to(*format, x, Rounding::kNearestEven, Overflow::kSpecial);
    case kClamp:
      return std::fabs(x) > max_finite(*format) ? std::copysign(max_finite(*format), x) : x;
    case kFlush:
      return std::fabs(x) < std::ldexp(1.0, format->min_exponent()) ? std::copysign(0.0, x) : x;
    case kAddZero:
      return x + 0.0;
  }
  return x;
}

CastProfile widened_from(const CastSource& source, const CastProfile& profile) {
  if (source.name == profile.from->name) return profile;
  if (source.bits >= profile.from->bits)
    throw std::invalid_argument(profile.id + " does not cast from " + std::string(source.name));
  CastProfile p = profile;
  p.from = &source;
  p.anomalies.clear();
  for (Anomaly anomaly : profile.anomalies) {
    // patterns without sign are ordered by value, except for NaN, which no anomaly of fp32 contains
    const double first = value_of(*profile.from, anomaly.first), last = value_of(*profile.from, anomaly.last);
    anomaly.first = patterns_below(source, [&](double x) { return x < first; });
    const uint64_t end = patterns_below(source, [&](double x) { return x <= last; });
    if (anomaly.first == end) continue;
    anomaly.last = end - 1;
    p.anomalies.push_back(anomaly);
  }
  return p;
}

uint32_t cast(const CastProfile& p, uint64_t input) {
  const bool negative = (input & p.from->sign()) != 0, nan = p.from->is_nan(input);
  const uint64_t magnitude = input & ~p.from->sign();
  if (magnitude == 0 && p.zero) return *p.zero;
  if (negative && !nan && p.negative == Negative::kCode) return p.negative_code;
  double factor = 1;
  for (const Anomaly& anomaly : p.anomalies) {
    if (magnitude < anomaly.first || magnitude > anomaly.last) continue;
    if (anomaly.code) return *anomaly.code | (negative && p.format->has_sign() ? 1u << (p.format->bits - 1) : 0u);
    factor = anomaly.factor;
  }
  if (nan) return negative ? p.minus_nan : p.nan;
  const double x = value_of(*p.from, input) * factor;
  return encode_number(p, through(p.before, p.negative == Negative::kMagnitude ? std::fabs(x) : x));
}

// Parses a row of casts.csv. Its cells are words, hexadecimal codes, and ranges of inputs.

namespace {

template <class Value>
Value word(const ContractRow& row, const std::string& column, std::span<const CellWord<Value>> words) {
  std::vector<std::string> known;
  std::string all;
  for (const auto& [name, value] : words) {
    if (row.text(column) == name) return value;
    known.emplace_back(name);
    all.append(all.empty() ? "" : ", ").append(name);
  }
  throw row.error(column, 0, "'" + row.text(column) + "' is not one of: " + all + did_you_mean(row.text(column), known));
}

/// Parses all of `text` as a hexadecimal number of at most `bits` bits.
uint64_t hexadecimal(const ContractRow& row, const std::string& column, size_t at, const std::string& text, int bits) {
  char* end = nullptr;
  const uint64_t value = std::strtoull(text.c_str(), &end, 16);
  const bool digits = !text.empty() && text.size() <= 16 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!digits || (bits < 64 && value >> bits != 0))
    throw row.error(column, at, "'" + text + "' is not a hexadecimal number of " + std::to_string(bits) + " bits");
  return value;
}

uint32_t code(const ContractRow& row, const std::string& column, const Format& format) {
  return uint32_t(hexadecimal(row, column, 0, row.text(column), format.bits));
}

/// Parses `FIRST..LAST:CODE` or `FIRST..LAST*2^K`, which begins at position `at` of the cell.
Anomaly anomaly(const ContractRow& row, const CastProfile& p, size_t at, const std::string& text) {
  const size_t dots = text.find(".."), end = text.find_first_of(":*");
  if (dots == std::string::npos || end == std::string::npos || end < dots)
    throw row.error(
        "anomaly", at,
        "'" + text + "': expected FIRST..LAST:CODE or FIRST..LAST*2^K, with inputs in hexadecimal without their sign bit");
  Anomaly a{hexadecimal(row, "anomaly", at, text.substr(0, dots), p.from->bits - 1),
            hexadecimal(row, "anomaly", at + dots + 2, text.substr(dots + 2, end - dots - 2), p.from->bits - 1), std::nullopt};
  if (a.first > a.last) throw row.error("anomaly", at, "the range '" + text.substr(0, end) + "' is empty");
  const std::string what = text.substr(end + 1);
  if (text[end] == ':') {
    a.code = uint32_t(hexadecimal(row, "anomaly", at + end + 1, what, p.format->bits));
  } else {
    char* rest = nullptr;
    const long exponent = what.starts_with("2^") ? std::strtol(what.c_str() + 2, &rest, 10) : 0;
    if (!rest || *rest != '\0' || what.size() == 2)
      throw row.error("anomaly", at + end + 1, "'" + what + "': expected a factor 2^K");
    for (long i = 0; i < std::labs(exponent); ++i) a.factor = exponent > 0 ? a.factor * 2 : a.factor / 2;
  }
  return a;
}

}  // namespace

CastProfile read_cast(const ContractRow& row) {
  CastProfile p;
  p.id = row.id;
  std::vector<std::string> known;
  for (const Format& format : all_formats()) known.emplace_back(format.name);
  p.format = find_format(row.text("format"));
  if (!p.format)
    throw row.error("format", 0, "unknown format '" + row.text("format") + "'" + did_you_mean(row.text("format"), known));
  p.from = find_cast_source(row.text("from"));
  if (!p.from) throw row.error("from", 0, "'" + row.text("from") + "' is not one of: f32, bf16, f16, f64");
  p.rounding = word<Rounding>(row, "rounding", kRoundingWords);
  p.overflow = word<Beyond>(row, "overflow", kBeyondWords);
  // The third word, special_above_largest, would mean the same as special: Inf is always above the largest value.
  p.infinity = word<Beyond>(row, "infinity", std::span(kBeyondWords).first(2));
  p.nan = code(row, "nan", *p.format);
  p.minus_nan = code(row, "minus_nan", *p.format);
  const std::string& negative = row.text("negative");
  p.negative = negative == "sign" ? Negative::kSign : negative == "magnitude" ? Negative::kMagnitude : Negative::kCode;
  if (p.negative == Negative::kCode) p.negative_code = code(row, "negative", *p.format);
  if (p.negative == Negative::kSign && !p.format->has_sign())
    throw row.error("negative", 0,
                    std::string(p.format->name) + " has no sign: expected magnitude, or the code for negative inputs");
  if (!row.text("zero").empty()) p.zero = code(row, "zero", *p.format);
  const std::string& cell = row.text("anomaly");
  for (size_t at = 0; at < cell.size();) {
    const size_t end = std::min(cell.find(' ', at), cell.size());
    if (end > at) p.anomalies.push_back(anomaly(row, p, at, cell.substr(at, end - at)));
    at = end + 1;
  }
  return p;
}

const Flow& cast_flow() {
  static const Flow flow{
      .name = "cast",
      .says = "format",
      .files = {"casts.csv"},
      .columns = {"format", "from", "rounding", "overflow", "infinity", "nan", "minus_nan", "negative", "zero", "anomaly"},
      .check = [](const ContractTables&, const ContractRow& row) { (void)read_cast(row); },
  };
  return flow;
}

}  // namespace assay
