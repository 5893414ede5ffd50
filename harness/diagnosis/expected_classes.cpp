// Errors in all elements whose expected value belongs to a class, such as zeros or +Inf, and in no others.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/diagnosis/wrong_part.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

/// The expected value of an element; nothing if the accepted values are not all of one class.
std::optional<double> expected(const WrongPart& wrong, int64_t i) {
  const Interval accepted = wrong.accepted(i);
  if (accepted.any()) return std::nullopt;
  if (is_nan_ordinal(accepted.low) || is_nan_ordinal(accepted.high)) return std::nan("");
  if (const std::optional<uint32_t> due = wrong.due(i)) return decode(wrong.format(), *due);
  const double low = decode(wrong.format(), code_from_ordinal(wrong.format(), accepted.low)),
               high = decode(wrong.format(), code_from_ordinal(wrong.format(), accepted.high));
  const bool crosses = std::signbit(low) != std::signbit(high) || low == 0 || std::isinf(low) || std::isinf(high);
  return crosses ? std::nullopt : std::optional(low);
}

struct Class {
  const char* words;
  std::function<bool(double)> contains;
  bool has_zeros = false, is_infinite = false;
};

std::vector<Class> classes(const Format& format) {
  const double least_normal = power_of_two(format.min_exponent());
  return {{"0 or -0", [](double v) { return v == 0; }, true},
          {"0", [](double v) { return v == 0 && !std::signbit(v); }, true},
          {"-0", [](double v) { return v == 0 && std::signbit(v); }, true},
          {"Inf or -Inf", [](double v) { return std::isinf(v); }, false, true},
          {"Inf", [](double v) { return v == HUGE_VAL; }, false, true},
          {"-Inf", [](double v) { return v == -HUGE_VAL; }, false, true},
          {"a subnormal number", [=](double v) { return v != 0 && std::abs(v) < least_normal; }},
          {"a number below 0", [](double v) { return v < 0 && !std::isinf(v); }},
          {"a number above 0", [](double v) { return v > 0 && !std::isinf(v); }},
          {"a number without a minus sign", [](double v) { return !std::isnan(v) && !std::signbit(v); }},
          {"a number with a minus sign", [](double v) { return !std::isnan(v) && std::signbit(v); }}};
}

/// What all wrong elements hold: NaN, a number of the class's other sign, or one code. Empty if they hold different things.
std::string held_by_all(const WrongPart& wrong) {
  bool nan = true, negated = true;
  for (const int64_t i : wrong.failing()) {
    const double value = wrong.value(i), due = expected(wrong, i).value_or(std::nan(""));
    nan = nan && std::isnan(value);
    negated = negated && std::isfinite(due) && value == -due && due != 0;
  }
  if (nan) return "NaN";
  if (negated) return "the number with the other sign";
  return wrong.distinct(2) == 1 ? value_text(wrong.format(), wrong.codes()[size_t(wrong.failing().front())]) : "";
}

/// The mistake that has this effect, if it is known.
std::string why(const Class& one, const WrongPart& wrong) {
  const double held = wrong.value(wrong.failing().front());
  if (one.has_zeros && std::isnan(held))
    return ": the test that finds NaN also holds for the code of 0, or a division has 0 in it";
  if (one.has_zeros && std::isinf(held)) return ": a division by 0, or the test that finds Inf also holds for the code of 0";
  if (one.has_zeros && held == 0) return ": the sign of zeros is lost";
  if (one.is_infinite && std::isinf(held)) return ": the sign is lost where a number is Inf";
  if (one.is_infinite && std::isnan(held)) return ": the test that finds NaN also holds for Inf, or Inf is multiplied by 0";
  return "";
}

}  // namespace

Rule told_by_expected_class(const WrongPart& wrong) {
  constexpr int64_t kFewestWrong = 8, kFewestRight = 16;
  const Format& format = wrong.format();
  if (!is_number(format) || int64_t(wrong.failing().size()) < kFewestWrong) return std::nullopt;
  const std::string held = held_by_all(wrong);
  if (held.empty()) return std::nullopt;
  for (const Class& one : classes(format)) {
    const auto contains = [&](int64_t i) {
      const std::optional<double> due = expected(wrong, i);
      return due && one.contains(*due);
    };
    if (wrong.count(contains) != int64_t(wrong.failing().size())) continue;
    const WrongAndRight elements = wrong_and_right(wrong);
    if (int64_t(elements.right.size()) < kFewestRight) return std::nullopt;
    if (std::any_of(elements.right.begin(), elements.right.end(), contains)) continue;
    // Where such values are expected in places of their own, nothing shows whether the value or the place matters.
    if (!places_apart(elements.wrong, elements.right, wrong.part().columns()).empty() ||
        (wrong.part().rows() > 1 && whole_rows_or_columns(wrong)))
      return std::nullopt;
    return {{fmt::format("{} wherever {} is expected, and every other element is right{}", held, one.words, why(one, wrong)),
             int64_t(wrong.failing().size())}};
  }
  return std::nullopt;
}

}  // namespace assay
