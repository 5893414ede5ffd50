// Rules that compute the values of wrong elements from the expected ones: a factor, another element's scale, saturation,
// rounding.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/diagnosis/wrong_part.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

std::string times_text(double factor) {
  const double size = std::abs(factor);
  if (factor == -1) return "the negative of the expected values";
  if (size > 0x1p20 || size < 0x1p-20)
    return fmt::format("{}2^{} times the expected values", factor < 0 ? "-" : "", std::ilogb(size));
  if (size >= 1) return fmt::format("{:.6g} times the expected values", factor);
  return fmt::format("{}1/{:.6g} of the expected values", factor < 0 ? "-" : "", 1 / size);
}

}  // namespace

Rule factor(const WrongPart& wrong) {
  const Format& format = wrong.format();
  if (format.specials == Specials::kBits) return std::nullopt;
  std::set<double> candidates;
  for (size_t i = 0; i < std::min(kProbes, wrong.failing().size()); ++i) {
    const std::optional<double> due = wrong.middle(wrong.failing()[i]);
    const double got = wrong.value(wrong.failing()[i]);
    if (!due || *due == 0 || !std::isfinite(*due) || !std::isfinite(got) || got == 0) continue;
    const double ratio = got / *due, size = std::abs(ratio);
    const double near = std::copysign(size >= 1 ? std::round(size) : 1 / std::round(1 / size), ratio);
    const double power = std::copysign(std::exp2(std::round(std::log2(size))), ratio);
    if (size < 1024 && size > 1.0 / 1024) candidates.insert(near);
    if (size < 0x1p200 && size > 0x1p-200) candidates.insert(power);
  }
  candidates.erase(1);
  // A factor that is a power of two changes only the exponent. For other factors, the stored code and the middle of several
  // expected codes each have an error of half an ulp. Subnormal codes have a fixed spacing.
  const bool has_mantissa = !format.is_integer() && format.specials != Specials::kScale;
  const double ulp = has_mantissa ? power_of_two(-format.mantissa_bits) : 0;
  const double least_normal = has_mantissa ? power_of_two(format.min_exponent()) : 0;
  const auto slack = [&](int64_t i, double by, double expected) {
    if (format.is_integer()) return 1.0;
    const bool exact = wrong.due(i) && std::abs(by) == std::exp2(std::round(std::log2(std::abs(by))));
    return std::max(exact ? 0 : std::abs(expected) * ulp, std::abs(expected) < least_normal ? least_normal * ulp : 0);
  };
  const double largest = max_finite(format);
  const auto away_from_zero = std::count_if(wrong.failing().begin(), wrong.failing().end(), [&](int64_t i) {
    const std::optional<double> due = wrong.middle(i);
    return due && std::isfinite(*due) && *due != 0;
  });
  // In a 4-bit format, one or two wrong codes are a simple multiple of the expected ones by chance.
  constexpr size_t kFewestCodes = 3;
  if (has_mantissa && format.bits <= 4) {
    std::set<double> due_codes;
    for (const int64_t i : wrong.failing()) due_codes.insert(std::abs(wrong.middle(i).value_or(0)));
    if (due_codes.size() < kFewestCodes) return std::nullopt;
  }
  Rule best;
  for (const double by : candidates) {
    const int64_t explained = wrong.count([&](int64_t i) {
      const std::optional<double> due = wrong.middle(i);
      if (!due || !std::isfinite(*due)) return false;
      const double expected = by * *due, got = wrong.value(i);
      if (std::abs(expected) > largest) return !std::isfinite(got) || std::abs(got) == largest;
      return std::abs(got - expected) <= slack(i, by, expected);
    });
    // If all results are the largest code, any large factor fits.
    const int64_t shown = wrong.count([&](int64_t i) { return std::abs(wrong.value(i)) < largest; });
    if (explained < kFewest || shown < kFewest || away_from_zero < kFewest || (best && best->explained >= explained)) continue;
    best = {times_text(by), explained};
  }
  return best;
}

namespace {

/// The value of an input that is one scale for all elements; nothing for other inputs.
std::optional<double> only_scale(const HostTensor& input, int rank) {
  const TensorSpec& spec = input.spec;
  if (spec.role != Role::kInput || spec.rank != rank || spec.name.find("scale") == std::string::npos || spec.elements() != 1)
    return std::nullopt;
  const double value = decode(*spec.format, input.code(spec.offset));
  return std::isfinite(value) && value > 0 ? std::optional(value) : std::nullopt;
}

/// Number of elements that hold the expected value times `by_of`, up to the rounding of both; 0 if they hold few different codes.
/// An element for which `by_of` returns nothing does not count.
int64_t times(const WrongPart& wrong, const std::function<std::optional<double>(int64_t element)>& by_of) {
  const Format& format = wrong.format();
  const double largest = max_finite(format), ulp = power_of_two(-format.mantissa_bits),
               least = power_of_two(format.min_exponent());
  std::set<double> seen;
  int64_t shown = 0;  // explained, and neither 0 nor the largest number, which any small or large factor gives
  const int64_t explained = wrong.count([&](int64_t i) {
    const std::optional<double> due = wrong.middle(i);
    const std::optional<double> by = by_of(i);
    if (!due || !by || !std::isfinite(*due)) return false;
    const double expected = *by * *due, got = wrong.value(i),
                 slack = std::max(std::abs(expected), std::max(1.0, *by) * least) * ulp;
    if (std::abs(expected) > largest) return !std::isfinite(got) || std::abs(got) == largest;
    const bool near = std::abs(got - expected) <= slack;
    if (near && std::abs(got) < largest && got != 0) seen.insert(got), ++shown;
    return near;
  });
  constexpr size_t kFewestValues = 4;
  return seen.size() >= kFewestValues && 2 * shown >= explained ? explained : 0;
}

}  // namespace

Rule factor_of_scales(const WrongPart& wrong, const Problem& problem) {
  if (!is_number(wrong.format())) return std::nullopt;
  std::vector<std::pair<std::string, double>> scales;
  for (const HostTensor& input : problem.tensors)
    if (const std::optional<double> scale = only_scale(input, wrong.part().rank)) scales.emplace_back(input.spec.name, *scale);
  Rule best;
  const auto consider = [&](const std::string& words, double by) {
    if (by == 1) return;
    const int64_t explained = times(wrong, [by](int64_t) { return by; });
    if (explained >= kFewest && (!best || explained > best->explained)) best = {words, explained};
  };
  for (const auto& [name, scale] : scales) {
    for (const auto& [other, value] : scales)
      if (other != name && value != scale)
        consider(fmt::format("{0} / {1} times the expected values: {1} is used where {0} is expected, or the other way round",
                             name, other),
                 scale / value);
    consider(fmt::format("{0}^2 times the expected values: the kernel multiplies by {0} instead of dividing", name), scale * scale);
    consider(fmt::format("1/{0}^2 of the expected values: the kernel divides by {0} instead of multiplying", name), 1 / (scale * scale));
    consider(fmt::format("{0} times the expected values: the kernel does not divide by {0}, or multiplies by it twice",
                         name),
             scale);
    consider(
        fmt::format("1/{0} of the expected values: the kernel does not multiply by {0}, or divides by it twice", name),
        1 / scale);
  }
  return best;
}

namespace {

/// An output that holds the scales of another output. `at`: the scale that the contract expects for a group of a row.
struct Scales {
  const WrongPart& part;
  const int64_t groups = part.part().columns(), rows = part.part().rows();

  std::optional<double> at(int64_t row, int64_t group) const {
    if (row < 0 || row >= rows || group < 0 || group >= groups) return std::nullopt;
    const double value = part.middle(row * groups + group).value_or(0);
    return value > 0 && std::isfinite(value) ? std::optional(value) : std::nullopt;
  }
};

/// Rows or columns that share a scale, if `size` of them have `scales` scales. The last block may be incomplete if blocks have a
/// power of two.
int64_t block_of(int64_t size, int64_t scales) {
  if (size % scales == 0) return size / scales;
  int64_t block = 1;
  while ((size + block - 1) / block > scales) block *= 2;
  return block;
}

}  // namespace

Rule scale_of_another_group(const WrongPart& wrong, const std::vector<WrongPart>& all) {
  constexpr int64_t kFewestOfScale = 8;
  const Part& part = wrong.part();
  const auto of_scales = std::find_if(all.begin(), all.end(), [&](const WrongPart& one) {
    return one.part().tensor.starts_with("scale") && one.part().rank == part.rank && one.part().rows() <= part.rows() &&
           one.part().columns() < part.columns() && one.part().elements() > 1 && one.complete() && one.failing().empty();
  });
  if (of_scales == all.end() || !is_number(wrong.format())) return std::nullopt;
  const Scales scales{*of_scales};
  const int64_t width = block_of(part.columns(), scales.groups), height = block_of(part.rows(), scales.rows);
  struct Way {
    const char* words;
    std::function<std::pair<int64_t, int64_t>(int64_t row, int64_t group)> from;
  };
  const std::string scale = of_scales->part().tensor;
  const char* const rows = height > 1 ? "block of rows" : "row";
  const std::vector<Way> ways = {
      {"[i, g - 1], the group before it", [](int64_t row, int64_t group) { return std::pair(row, group - 1); }},
      {"[i, g + 1], the group after it", [](int64_t row, int64_t group) { return std::pair(row, group + 1); }},
      {"[i - 1, g], the ROW before it", [](int64_t row, int64_t group) { return std::pair(row - 1, group); }},
      {"[i + 1, g], the ROW after it", [](int64_t row, int64_t group) { return std::pair(row + 1, group); }},
      {"[i, 0], the first group of the ROW", [](int64_t row, int64_t) { return std::pair<int64_t, int64_t>(row, 0); }},
      {"[0, g], the first ROW", [](int64_t, int64_t group) { return std::pair<int64_t, int64_t>(0, group); }},
      {"[0, 0], the first scale", [](int64_t, int64_t) { return std::pair<int64_t, int64_t>(0, 0); }}};
  const auto place = [&](int64_t i) { return std::pair(i / part.columns() / height, i % part.columns() / width); };
  constexpr double kApart = 1.25;  // a smaller ratio of two scales changes few codes
  const auto is_apart = [](double ratio) { return ratio > kApart || ratio < 1 / kApart; };
  const std::set<int64_t> failing(wrong.failing().begin(), wrong.failing().end());
  Rule best;
  for (const Way& way : ways) {
    const auto ratio = [&](int64_t i) -> std::optional<double> {
      const auto [row, group] = place(i);
      const auto [other_row, other_group] = way.from(row, group);
      const std::optional<double> own = scales.at(row, group), other = scales.at(other_row, other_group);
      return own && other ? std::optional(*own / *other) : std::nullopt;
    };
    const int64_t explained = times(wrong, ratio);
    if (explained < kFewestOfScale || (best && explained <= best->explained)) continue;
    std::set<std::pair<int64_t, int64_t>> groups;
    int64_t apart = 0, contradicted = 0;
    for (const int64_t i : wrong.failing()) {
      const std::optional<double> by = ratio(i);
      groups.insert(place(i)), apart += by && is_apart(*by);
    }
    // A group that was computed with another scale holds hardly any right element, except zeros and the largest number.
    for (int64_t i = 0; i < part.elements(); ++i) {
      if (failing.contains(i) || !groups.contains(place(i))) continue;
      const std::optional<double> by = ratio(i), due = wrong.middle(i);
      contradicted += by && due && is_apart(*by) && *due != 0 && std::abs(*due) < max_finite(wrong.format()) &&
                      std::abs(*due) >= power_of_two(wrong.format().min_exponent());
    }
    if (2 * apart < int64_t(failing.size()) || 8 * contradicted > explained) continue;
    std::string words = way.words;
    if (const size_t at = words.find("ROW"); at != std::string::npos) words.replace(at, 3, rows);
    best = {fmt::format("the codes of another scale: {}[i, group g] was computed with {}{}", part.tensor, scale, words), explained};
    if (height > 1) best->note = fmt::format("; a scale covers {} rows, i counts blocks of them", height);
  }
  return best;
}

Rule of_fewer_bits(const WrongPart& wrong) {
  if (!(wrong.format() == kF32)) return std::nullopt;
  Rule best;
  for (const Format* const format : {&kBf16, &kF16})
    for (const Rounding rounding : {Rounding::kNearestEven, Rounding::kTowardZero}) {
      const int64_t explained = wrong.count([&](int64_t i) {
        const std::optional<double> due = wrong.middle(i);
        return due && std::isfinite(*due) && *due != 0 && wrong.value(i) == round_to(*format, *due, rounding, Overflow::kSpecial);
      });
      if (explained >= kFewest && (!best || explained > best->explained))
        best = {
            fmt::format("the expected values {} {}", rounding == Rounding::kNearestEven ? "rounded to" : "truncated to", format->name),
            explained};
    }
  return best;
}

Rule largest_code_too_early(const WrongPart& wrong) {
  const Format& format = wrong.format();
  if ((!is_number(format) && format.specials != Specials::kScale) || int64_t(wrong.failing().size()) < kFewest) return std::nullopt;
  const double largest = max_finite(format);
  double from = largest;
  for (const int64_t i : wrong.failing()) {
    const std::optional<double> due = wrong.middle(i);
    if (!due || wrong.value(i) != std::copysign(largest, *due) || std::abs(*due) >= largest) return std::nullopt;
    from = std::min(from, std::abs(*due));
  }
  for (int64_t i = 0; i < wrong.part().elements(); ++i) {
    const std::optional<double> due = wrong.middle(i);
    // Elements of value `from` are ignored: before rounding, they may lie on either side of the limit.
    if (due && std::abs(*due) > from && std::abs(*due) < largest && wrong.accepts(i, wrong.codes()[size_t(i)]))
      return std::nullopt;
  }
  return {{fmt::format("the largest number, {:.6g}, wherever {:.6g} or more is expected (results saturate too early)", largest, from),
           int64_t(wrong.failing().size())}};
}

Rule wrong_overflow(const WrongPart& wrong) {
  const Format& format = wrong.format();
  if (!is_number(format) || format.specials != Specials::kIeee) return std::nullopt;  // other formats have no Inf
  const double largest = max_finite(format);
  const auto holds = [&](double stored, double due) {
    return wrong.count([&, stored, due](int64_t i) {
      const double value = wrong.value(i);
      return std::abs(value) == stored && wrong.accepts(i, code_of(format, std::copysign(due, value)));
    });
  };
  if (const int64_t explained = holds(largest, HUGE_VAL); explained >= kFewest)
    return {{fmt::format("the largest number, {:.6g}, where Inf is expected: results saturate, but must overflow", largest), explained}};
  if (const int64_t explained = holds(HUGE_VAL, largest); explained >= kFewest)
    return {{fmt::format("Inf where the largest number, {:.6g}, is expected: results overflow, but must saturate", largest), explained}};
  return std::nullopt;
}

namespace {

/// Real numbers from `low` to `high`.
struct Reals {
  double low, high;
};

/// The real numbers that round to the stored code, and those that round to an accepted code. Nothing for zeros, subnormal values,
/// and values that may be clamped.
std::optional<std::pair<Reals, Reals>> held_and_due(const WrongPart& wrong, int64_t i) {
  const Format& format = wrong.format();
  const Interval accepted = wrong.accepted(i);
  if (!wrong.middle(i) || !std::isfinite(wrong.value(i))) return std::nullopt;
  const double got = wrong.value(i), low = decode(format, code_from_ordinal(format, accepted.low)),
               high = decode(format, code_from_ordinal(format, accepted.high)),
               least = format.is_integer() || format.specials == Specials::kScale ? 0 : power_of_two(format.min_exponent());
  const double largest = format.is_integer() ? 0x1p127 : max_finite(format);
  for (const double one : {got, low, high})
    if (!std::isfinite(one) || std::abs(one) < least || std::abs(one) >= largest || one == 0) return std::nullopt;
  const double half = format.specials == Specials::kScale ? 0 : power_of_two(-format.mantissa_bits) / 2;
  const auto widened = [&](double from, double to) {
    if (format.is_integer()) return Reals{from - 0.5, to + 0.5};
    return Reals{from - std::abs(from) * half, to + std::abs(to) * half};
  };
  return std::pair(widened(got, got), widened(low, high));
}

/// The fraction with the smallest denominator in an interval of positive numbers, if that denominator is below `most`.
std::optional<std::pair<int64_t, int64_t>> simplest_fraction(double low, double high, int64_t most) {
  for (int64_t below = 1; below < most; ++below) {
    const auto above = int64_t(std::ceil(low * double(below)));
    if (above > 0 && double(above) <= high * double(below)) return std::pair(above, below);
  }
  return std::nullopt;
}

}  // namespace

Rule constant_ratio(const WrongPart& wrong) {
  const Format& format = wrong.format();
  if (format.specials == Specials::kBits || format.is_integer()) return std::nullopt;
  constexpr size_t kFewestNumbers = 4, kFewestPrecise = 2;
  constexpr double kMostWidth = 0.02, kPrecise = 1e-5;
  constexpr int64_t kMostDenominator = 4096;
  double low = 0, high = HUGE_VAL;
  int64_t explained = 0, sign = 0;
  std::set<double> numbers;
  for (const int64_t i : wrong.failing()) {
    const std::optional<std::pair<Reals, Reals>> pair = held_and_due(wrong, i);
    if (!pair) continue;
    const auto& [held, due] = *pair;
    const int64_t own_sign = (held.low > 0) == (due.low > 0) ? 1 : -1;
    if (held.low * held.high <= 0 || due.low * due.high <= 0 || (sign != 0 && own_sign != sign)) return std::nullopt;
    sign = own_sign;
    const std::array<double, 4> ratios = {std::abs(held.low / due.low), std::abs(held.low / due.high),
                                          std::abs(held.high / due.low), std::abs(held.high / due.high)};
    low = std::max(low, *std::min_element(ratios.begin(), ratios.end()));
    high = std::min(high, *std::max_element(ratios.begin(), ratios.end()));
    if (low > high) return std::nullopt;
    ++explained, numbers.insert(*wrong.middle(i));
  }
  const size_t fewest = high - low < kPrecise * low ? kFewestPrecise : kFewestNumbers;  // a precise ratio does not fit by chance
  if (explained < kFewest || numbers.size() < fewest || (low <= 1 && 1 <= high && sign > 0) ||
      high - low > kMostWidth * low)
    return std::nullopt;
  const std::optional<std::pair<int64_t, int64_t>> fraction = simplest_fraction(low, high, kMostDenominator);
  const double middle = (low + high) / 2, apart = std::abs(middle - 1);
  const std::string text = sign > 0 && apart < 1e-3 ? fmt::format("1 {} {:.3g}", middle > 1 ? '+' : '-', apart)
                                                    : fmt::format("{}{:.6g}", sign < 0 ? "-" : "", middle);
  if (high - low < kPrecise * low && apart < 1e-3 && !(fraction && fraction->second < kMostDenominator))
    return {{text + " times the expected values (a wrong constant or scale)", explained}};
  if (fraction && high - low < 1e-4 * low && fraction->first != fraction->second)
    return {{fmt::format("{} times the expected values, as {}/{} (a wrong constant or scale)", text, fraction->first,
                         fraction->second),
             explained}};
  return {{fmt::format("{} times the expected values (any factor from {:.6g} to {:.6g} fits; a wrong constant or scale)", text, low, high),
           explained}};
}

Rule constant_difference(const WrongPart& wrong) {
  const Format& format = wrong.format();
  constexpr size_t kFewestNumbers = 3;
  if (format.specials == Specials::kBits || format.specials == Specials::kScale) return std::nullopt;
  std::optional<double> by;
  std::set<double> numbers;
  for (const int64_t i : wrong.failing()) {
    const std::optional<double> due = wrong.middle(i);
    if (!due || !std::isfinite(*due) || !std::isfinite(wrong.value(i)) || !wrong.due(i)) return std::nullopt;
    if (!by) by = wrong.value(i) - *due;
    if (wrong.value(i) - *due != *by) return std::nullopt;
    numbers.insert(*due);
  }
  const auto failing = int64_t(wrong.failing().size());
  if (!by || *by == 0 || failing < kFewest || numbers.size() < kFewestNumbers) return std::nullopt;
  return {{fmt::format("the expected values {} {:.6g}", *by > 0 ? "plus" : "minus", std::abs(*by)), failing}};
}

namespace {

/// The values of an input that has one row and as many columns as the output. With an empty name: one constant in all columns.
struct RowVector {
  std::string name;
  std::vector<double> at;
};

std::vector<RowVector> row_vectors(const Problem& problem, const Part& part, double other) {
  std::vector<RowVector> all = {{"", std::vector<double>(size_t(part.columns()), other)}};
  for (const HostTensor& input : problem.tensors) {
    const TensorSpec& spec = input.spec;
    if (spec.role != Role::kInput || spec.rank != part.rank || spec.shape.size() != 1 || spec.elements() != part.columns() ||
        spec.format->is_integer() || spec.packed)
      continue;
    RowVector& made = all.emplace_back(RowVector{spec.name, {}});
    for (int64_t c = 0; c < part.columns(); ++c)
      made.at.push_back(decode(*spec.format, input.code(spec.offset + c * spec.strides.back())));
  }
  return all;
}

/// An element of a row: the number that it holds, the number that is due (expected), and the largest rounding error of each.
struct RoundedPair {
  int64_t column;
  double held, due, held_slack, due_slack;
  bool fails;
};

/// Fits held - base = factor * (due - base) + shift * along by least squares, over the columns of one row; see numbers_of_rows().
struct RowFit {
  double half;  ///< half an ulp, relative to the value
  bool with_factor = true, with_shift = true;
  double factor = 1, shift = 0;

  bool of(const std::vector<RoundedPair>& row, const std::vector<double>& base, const std::vector<double>& along) {
    double xx = 0, xy = 0, yy = 0, xz = 0, yz = 0;
    for (const RoundedPair& one : row) {
      const double weight = 1 / std::pow(one.held_slack + one.due_slack, 2), x = one.due - base[size_t(one.column)],
                   y = along[size_t(one.column)], z = one.held - base[size_t(one.column)] - (with_factor ? 0 : x);
      xx += weight * x * x, xy += weight * x * y, yy += weight * y * y, xz += weight * x * z, yz += weight * y * z;
    }
    const double determinant = xx * yy - xy * xy;
    if (with_factor && with_shift) {
      if (!(determinant > 1e-9 * xx * yy)) return false;
      factor = (xz * yy - yz * xy) / determinant, shift = (yz * xx - xz * xy) / determinant;
    } else if (with_factor) {
      factor = xz / xx;
    } else {
      shift = yz / yy;
    }
    constexpr double kLeastFactor = 1e-3;  // with a smaller factor, stored values do not depend on expected ones
    return std::isfinite(factor) && std::isfinite(shift) && (!with_factor || std::abs(factor) >= kLeastFactor);
  }
  bool holds(const RoundedPair& one, const std::vector<double>& base, const std::vector<double>& along) const {
    const double b = base[size_t(one.column)], expected = b + factor * (one.due - b) + shift * along[size_t(one.column)];
    // The fit has an error of one rounding, so twice the element's rounding error is allowed. `before`: the term that is added to
    // `base` may have been rounded before the addition.
    const double before = half * (std::abs(one.held - b) + std::abs(factor * (one.due - b)));
    return std::abs(one.held - expected) <= 2 * (one.held_slack + std::abs(factor) * one.due_slack + before);
  }
};

}  // namespace

Rule numbers_of_rows(const WrongPart& wrong, const Problem& problem) {
  const Format& format = wrong.format();
  const Part& part = wrong.part();
  constexpr size_t kFewestColumns = 16;
  constexpr int64_t kMostElements = int64_t(1) << 18;
  constexpr double kSameFactor = 1e-3;  // factors that are printed as the same number
  if (!is_number(format) || format.bits < 16 || part.columns() < int64_t(kFewestColumns) || part.elements() > kMostElements)
    return std::nullopt;
  const double half = power_of_two(-format.mantissa_bits) / 2, least = power_of_two(format.min_exponent());
  std::map<int64_t, std::vector<RoundedPair>> rows;
  std::set<int64_t> nan_rows, failing_rows;
  for (const int64_t i : wrong.failing()) failing_rows.insert(i / part.columns());
  for (const int64_t row : failing_rows)
    for (int64_t i = row * part.columns(); i < (row + 1) * part.columns(); ++i) {
      const double held = wrong.value(i);
      const std::optional<double> due = wrong.middle(i);
      if (std::isnan(held)) nan_rows.insert(row);
      if (!due || !std::isfinite(*due) || !std::isfinite(held)) continue;
      const Interval accepted = wrong.accepted(i);
      const double width =
          decode(format, code_from_ordinal(format, accepted.high)) - decode(format, code_from_ordinal(format, accepted.low));
      const auto slack = [&](double value) { return std::max(std::abs(value), least) * half; };
      rows[row].push_back(
          {i % part.columns(), held, *due, slack(held), slack(*due) + width / 2, !wrong.accepts(i, wrong.codes()[size_t(i)])});
    }
  Rule best;
  const auto try_fit = [&](const RowVector& base, const RowVector& along, bool with_factor, bool with_shift) {
    int64_t explained = 0, clear = 0;
    std::string some;
    std::optional<double> first;
    bool factors_differ = false;
    for (const auto& [row, pairs] : rows) {
      if (nan_rows.contains(row)) continue;
      RowFit fit{half, with_factor, with_shift};
      if (pairs.size() < kFewestColumns || !fit.of(pairs, base.at, along.at)) return;
      if (!first) first = fit.factor;
      factors_differ |= std::abs(fit.factor - *first) > kSameFactor * std::abs(*first);
      for (const RoundedPair& one : pairs) {
        if (!fit.holds(one, base.at, along.at)) return;
        explained += one.fails;
        clear += one.fails && std::abs(one.held - one.due) > 4 * (one.held_slack + one.due_slack);
      }
      if (some.size() < 24) some += fmt::format("{}{:.3g}", some.empty() ? "" : ", ", with_factor ? fit.factor : fit.shift);
    }
    // Another rule reports one factor for the whole tensor. If there is a shift too, a factor of 1 adds nothing.
    const bool idle = with_shift ? std::abs(first.value_or(1) - 1) <= kSameFactor : base.name.empty();
    if (with_factor && rows.size() > 1 && !factors_differ && idle) return;
    if (explained < int64_t(kFewestColumns) || 2 * clear < explained || (best && best->explained >= explained)) return;
    std::string words;
    const std::string apart = base.name.empty() ? "" : " (without " + base.name + ")";
    const std::string of = along.name.empty() ? "" : " times " + along.name;
    if (!with_shift)
      words = fmt::format(
          "the expected values{} times a factor for each row, about {}: a number that all elements of a row share, such as "
          "the variance or scale, is wrong",
          apart, some);
    else if (!with_factor)
      words = fmt::format(
          "the expected values plus a number for each row, about {}{}: the number that is added to or subtracted from all "
          "elements of a row, such as the mean, is wrong",
          some, of);
    else
      words = fmt::format(
          "the expected values{} times a factor for each row, about {}, plus a number for each row{}: the number that is "
          "subtracted from all elements of a row, such as the mean, is wrong, and so is the scale derived from it",
          apart, some, of);
    if (!nan_rows.empty()) words += fmt::format("; {} of {} wrong rows hold NaN", nan_rows.size(), failing_rows.size());
    int64_t left_out = 0;
    for (const int64_t i : wrong.failing()) left_out += nan_rows.contains(i / part.columns());
    best = {words, explained, left_out};
  };
  const std::vector<RowVector> bases = row_vectors(problem, part, 0), alongs = row_vectors(problem, part, 1);
  for (const RowVector& base : bases) try_fit(base, alongs.front(), true, false);
  for (const RowVector& along : alongs) try_fit(bases.front(), along, false, true);
  if (best) return best;
  for (const RowVector& base : bases)
    for (const RowVector& along : alongs)
      if (base.name.empty() || base.name != along.name) try_fit(base, along, true, true);
  return best;
}

std::optional<Elsewhere> written_elsewhere(const WrongPart& wrong) {
  constexpr int64_t kRun = 16;  // shorter runs may match by chance
  constexpr size_t kFewestCodes = 4;
  const int64_t columns = wrong.part().columns();
  const HostTensor& tensor = wrong.tensor();
  if (wrong.format().bits != 8 || columns < kRun) return std::nullopt;
  std::vector<std::byte> due(size_t(kRun), std::byte{0});
  for (const int64_t first : wrong.failing()) {
    const int64_t row = first / columns, column = first % columns / kRun * kRun;
    if (column + kRun > columns) continue;
    bool known = true;
    std::set<uint32_t> codes;
    for (int64_t i = 0; i < kRun && known; ++i) {
      const std::optional<uint32_t> code = wrong.due(row * columns + column + i);
      known = code.has_value();
      if (known) due[size_t(i)] = std::byte(*code), codes.insert(*code);
    }
    if (!known || codes.size() < kFewestCodes) continue;
    const auto at = std::search(tensor.bytes.begin(), tensor.bytes.end(), due.begin(), due.end());
    if (at == tensor.bytes.end()) continue;
    const int64_t apart = at - tensor.bytes.begin() - wrong.part().offset(row, column) * wrong.part().format->bytes();
    if (apart == 0) continue;
    const auto moved = [&](int64_t i) {
      const int64_t place = wrong.part().offset(i / columns, i % columns) + apart;
      const std::optional<uint32_t> code = wrong.due(i);
      return code && place >= 0 && place < int64_t(tensor.bytes.size()) && uint32_t(tensor.bytes[size_t(place)]) == *code;
    };
    return Elsewhere{std::count_if(wrong.failing().begin(), wrong.failing().end(), moved),
                     fmt::format("; columns {}..{} of row {} are stored {} bytes {} their expected address", column, column + kRun - 1,
                                 wrong.part().number_of(row), std::abs(apart), apart > 0 ? "after" : "before")};
  }
  return std::nullopt;
}

}  // namespace assay
