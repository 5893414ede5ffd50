// Finds codes of numbers by searching the values of a format.
#include "reference/casts/cast_encode.h"

#include <cmath>
#include <map>
#include <string_view>
#include <vector>

#include "reference/formats/catalogue.h"

namespace assay {
namespace {

/// The finite values of a format by their position in order, plus one position beyond either end. Values of narrow formats are
/// cached.
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

  /// The last position whose value is at most x; the position below the lowest if there is none.
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
  /// Beyond an end, values continue with the last step.
  double computed(int32_t o) const {
    if (o > highest_) return f_.mantissa_bits == 0 ? 2 * computed(highest_) : 2 * computed(highest_) - computed(highest_ - 1);
    if (o < lowest_) return 2 * computed(lowest_) - computed(lowest_ + 1);
    return is_absent_zero(o) ? 0.0 : decode(f_, code_from_ordinal(f_, o));
  }
  bool is_absent_zero(int32_t o) const { return o == -1 && f_.specials == Specials::kFnuz; }

  const Format& f_;
  int32_t highest_, lowest_;
  std::vector<double> values_{};  ///< from the position below the lowest; empty: computed each time
};

const Ladder& ladder_of(const Format& format) {
  static const auto ladders = [] {
    std::map<std::string_view, Ladder> all;
    for (const Format& f : all_formats()) all.try_emplace(f.name, f);
    return all;
  }();
  return ladders.at(format.name);
}

/// Whether x, strictly between two neighbours, rounds up.
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
    // From two positions beyond the end on, the distance no longer matters: only rounding toward zero returns to the largest
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
  // a value exceeds its lower neighbour by at most its own size, and a step is a power of two, so the fraction is exact
  const double fraction = (magnitude - low) / step, needed = 1 - std::ldexp(double(random), -random_bits);
  const int32_t place = below + (fraction >= needed ? 1 : 0);
  if (place > ladder.highest()) return std::nullopt;
  const double rounded = ladder.at(place);
  return code_of(f, value < 0 && f.has_sign() ? -rounded : rounded);
}

}  // namespace assay
