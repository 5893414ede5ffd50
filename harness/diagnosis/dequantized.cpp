// Numbers that an output holds together with its scales. If a scale is wrong, all codes of its group are; their products still
// tell which numbers the kernel has quantized.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/diagnosis/wrong_part.h"
#include "reference/formats/round.h"

namespace assay {

Rule numbers_of_other_columns(const WrongPart& wrong, const std::vector<WrongPart>& all) {
  constexpr int64_t kFewestSources = 32;
  constexpr size_t kFewestCodes = 8;
  const Part& part = wrong.part();
  const Format& format = wrong.format();
  const auto of_scales = std::find_if(all.begin(), all.end(), [&](const WrongPart& one) {
    return one.part().tensor.starts_with("scale") && one.part().rank == part.rank && one.part().rows() == part.rows() &&
           one.part().columns() < part.columns() && part.columns() % one.part().columns() == 0 && one.complete() &&
           !one.failing().empty();
  });
  if (of_scales == all.end() || (!format.is_integer() && (!is_number(format) || format.mantissa_bits < 2)) || format.bits > 8)
    return std::nullopt;
  const int64_t columns = part.columns(), groups = of_scales->part().columns(), width = columns / groups;
  const double largest = format.is_integer() ? std::ldexp(1.0, format.bits - 1) - 1 : max_finite(format);
  const double step = format.is_integer() ? 1 : power_of_two(format.min_exponent() - format.mantissa_bits);
  const double relative = format.is_integer() ? 0 : power_of_two(-format.mantissa_bits - 1);
  struct Number {
    double value = 0, rounding = 0;
  };
  const auto number = [&](double code, double scale) -> std::optional<Number> {
    if (!std::isfinite(code) || !std::isfinite(scale) || scale <= 0 || std::abs(code) >= largest) return std::nullopt;
    return Number{code * scale, std::max(std::abs(code) * relative, step / 2) * scale};
  };
  const auto scale_of = [&](int64_t i) { return i / columns * groups + i % columns / width; };
  std::vector<std::optional<Number>> held, due;
  std::set<double> sizes;
  for (int64_t i = 0; i < part.elements(); ++i) {
    held.push_back(number(wrong.value(i), of_scales->value(scale_of(i))));
    const std::optional<double> code = wrong.middle(i), scale = of_scales->middle(scale_of(i));
    due.push_back(code && scale ? number(*code, *scale) : std::nullopt);
    if (held.back() && sizes.size() < kFewestCodes) sizes.insert(std::abs(wrong.value(i)));
  }
  if (sizes.size() < kFewestCodes) return std::nullopt;
  const auto fits = [&](int64_t i, int64_t from) {
    return std::abs(held[size_t(i)]->value - due[size_t(from)]->value) <=
           1.01 * (held[size_t(i)]->rounding + due[size_t(from)]->rounding);
  };
  // Numbers too small for the stored scale fit everywhere.
  const auto tells = [&](int64_t i, int64_t from) {
    return held[size_t(i)] && due[size_t(from)] &&
           std::max(std::abs(held[size_t(i)]->value), std::abs(due[size_t(from)]->value)) >
               8 * (held[size_t(i)]->rounding + due[size_t(from)]->rounding) / (format.is_integer() ? 1 : 3);
  };
  Rule best;
  int64_t most = 0;
  for (int64_t period = 4; period <= 256 && period <= columns; period *= 2)
    for (int64_t away = 1; 2 * away <= period; away *= 2)
      for (const int64_t by : {away, -away}) {
        const auto source = [&](int64_t i) {
          const int64_t at = i % columns % period + by;
          return at < 0 || at >= period || i % columns + by >= columns ? kNowhere : i + by;
        };
        int64_t sources = 0, fitting = 0, in_place = 0;
        for (int64_t i = 0; i < part.elements(); ++i) {
          const int64_t from = source(i);
          if (from == kNowhere || !tells(i, from)) continue;
          ++sources, fitting += fits(i, from), in_place += due[size_t(i)] && fits(i, i);
        }
        if (sources < kFewestSources || 20 * fitting < 19 * sources || 2 * in_place > sources || fitting <= most) continue;
        most = fitting;
        Explanation found{
            fmt::format("the numbers of other columns, if multiplied by the stored {}: {}[i, j] holds the number of "
                        "{}[i, j {} {}], within each {} columns: a wrong index before the scale is computed",
                        of_scales->part().tensor, part.tensor, part.tensor, by > 0 ? '+' : '-', away, period)};
        for (const int64_t i : wrong.failing()) {
          const int64_t from = source(i);
          const bool known = from != kNowhere && tells(i, from);
          (known ? found.explained : found.left_out) += !known || fits(i, from);
        }
        found.note = "; the other elements hold other data, which also enter the scale";
        best = std::move(found);
      }
  return best;
}

}  // namespace assay
