// Codes of numbers that belong in other columns of a vector, if the scales are wrong, too: the kernel reads a vector wrongly
// before it computes the scale. A code times its stored scale still tells which number was quantized.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/diagnosis/wrong_part.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

struct Range {
  double low = 0, high = 0;
};

/// All numbers that are rounded to a code of `codes`.
std::optional<Range> numbers_of(const Format& format, Interval codes) {
  if (codes.any() || is_nan_ordinal(codes.low) || is_nan_ordinal(codes.high)) return std::nullopt;
  const auto bound = [&](int32_t ordinal, int32_t step) {
    const double value = decode(format, code_from_ordinal(format, ordinal));
    if (step * value >= max_finite(format)) return step * HUGE_VAL;
    double next = value;
    while (next == value) next = decode(format, code_from_ordinal(format, ordinal += step));  // there may be two zeros
    return value + (next - value) / 2;
  };
  return Range{bound(codes.low, -1), bound(codes.high, 1)};
}

/// Products of a number and a scale, both from a range.
std::optional<Range> times(const std::optional<Range>& numbers, const std::optional<Range>& scales) {
  if (!numbers || !scales || scales->low <= 0 || !std::isfinite(scales->high)) return std::nullopt;
  return Range{std::min(numbers->low * scales->low, numbers->low * scales->high),
               std::max(numbers->high * scales->low, numbers->high * scales->high)};
}

/// The numbers that the codes of an output stand for, as held and as expected.
struct Numbers {
  std::vector<std::optional<Range>> held, due;

  bool fits(int64_t i, int64_t from) const {
    constexpr double kSlack = 0.01;  // a factor that both scales share may be rounded
    const Range &a = *held[size_t(i)], &b = *due[size_t(from)];
    const auto size = [](const Range& one) { return std::min(std::abs(one.low), std::abs(one.high)); };
    const double slack = kSlack * std::max(size(a), size(b));
    return a.low <= b.high + slack && b.low <= a.high + slack;
  }
  bool known(int64_t i, int64_t from) const { return held[size_t(i)] && due[size_t(from)]; }
};

/// A wrong index within vectors of `width` columns: the number in place `at` is that of place source(at).
struct WrongIndex {
  std::string words;
  int64_t width;
  std::function<int64_t(int64_t at)> source;
};

std::vector<WrongIndex> wrong_indices(int64_t columns) {
  constexpr int64_t kWidest = 32, kWidestOfOnePlace = 8;
  std::vector<WrongIndex> all;
  for (int64_t width = 2; width <= kWidest && width <= columns; width *= 2) {
    for (int64_t first = 1; first < width; first *= 2)
      all.push_back({first == 1
                         ? fmt::format("[i, j - j mod {}]", width)
                         : fmt::format("[i, j - j mod {0} + j mod {1}]: the first {1} of each {0} are repeated", width, first),
                     width, [first](int64_t at) { return at % first; }});
    all.push_back({fmt::format("[i, j ^ {}]", width / 2), width, [width](int64_t at) { return at ^ width / 2; }});
    if (width > 2)
      all.push_back({fmt::format("[i, j ^ {}]", width - 1), width, [width](int64_t at) { return at ^ (width - 1); }});
    for (int64_t to = 0; to < width && width <= kWidestOfOnePlace; ++to)
      for (int64_t from = 0; from < width; ++from)
        if (from != to && (width > 2 || to == 0))  // the first of each 2 is repeated, see above
          all.push_back({fmt::format("[i, j {} {}] where j mod {} = {}", from > to ? '+' : '-', std::abs(from - to), width, to),
                         width, [=](int64_t at) { return at == to ? from : at; }});
  }
  return all;
}

}  // namespace

Rule numbers_of_vectors(const WrongPart& wrong, const std::vector<WrongPart>& all) {
  constexpr int64_t kFewestTelling = 16;
  const Part& part = wrong.part();
  const Format& format = wrong.format();
  const auto of_scales = std::find_if(all.begin(), all.end(), [&](const WrongPart& one) {
    return one.part().tensor.starts_with("scale") && one.part().rank == part.rank && one.part().rows() == part.rows() &&
           one.part().columns() > 0 && one.part().columns() < part.columns() && part.columns() % one.part().columns() == 0 &&
           one.complete() && !one.failing().empty();
  });
  if (of_scales == all.end() || !is_number(format) || format.bits > 8) return std::nullopt;
  const int64_t columns = part.columns(), groups = of_scales->part().columns(), width = columns / groups;
  Numbers numbers;
  for (int64_t i = 0; i < part.elements(); ++i) {
    const int64_t group = i / columns * groups + i % columns / width;
    const auto code = wrong.codes()[size_t(i)];
    const double stored = of_scales->value(group);
    const Interval scales = of_scales->accepted(group);
    std::optional<Range> due_scale;
    if (!scales.any() && !is_nan_ordinal(scales.low) && !is_nan_ordinal(scales.high))
      due_scale = Range{decode(of_scales->format(), code_from_ordinal(of_scales->format(), scales.low)),
                        decode(of_scales->format(), code_from_ordinal(of_scales->format(), scales.high))};
    const int32_t at = ordinal(format, code);
    numbers.held.push_back(times(numbers_of(format, {at, at}), Range{stored, stored}));
    numbers.due.push_back(times(numbers_of(format, wrong.accepted(i)), due_scale));
  }
  std::string words;
  for (const WrongIndex& index : wrong_indices(width)) {
    int64_t telling = 0;  // elements that show that their number is not the one of their own place
    bool holds = true;
    for (int64_t i = 0; i < part.elements() && holds; ++i) {
      const int64_t at = i % columns % index.width, from = i - at + index.source(at);
      if (from / columns != i / columns || from >= part.elements() || !numbers.known(i, from)) continue;
      holds = numbers.fits(i, from);
      telling += from != i && wrong.value(i) != 0 && numbers.known(i, i) && !numbers.fits(i, i);
    }
    if (!holds || telling < kFewestTelling) continue;
    if (!words.empty()) return std::nullopt;  // the numbers repeat
    words = index.words;
  }
  if (words.empty()) return std::nullopt;
  return {{fmt::format("the numbers of other columns, if multiplied by the stored {}: {}[i, j] holds the number of {}{}; a wrong "
                       "index within a vector, before the scale is computed",
                       of_scales->part().tensor, part.tensor, part.tensor, words),
           int64_t(wrong.failing().size())}};
}

}  // namespace assay
