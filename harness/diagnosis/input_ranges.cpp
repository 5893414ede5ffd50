// Finds a limit of an input that separates two sets of output elements: a branch of the kernel begins there.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/diagnosis/wrong_part.h"

namespace assay {
namespace {

/// The smallest and the largest of some numbers, and whether there are enough different ones.
struct Extent {
  double low = HUGE_VAL, high = -HUGE_VAL;
  std::set<double> some;

  static constexpr size_t kFewest = 3;

  void add(double value) {
    if (std::isnan(value)) return;
    low = std::min(low, value), high = std::max(high, value);
    if (some.size() < kFewest) some.insert(value);
  }
  bool enough() const { return some.size() == kFewest; }
};

}  // namespace

std::string input_range_apart(const std::vector<int64_t>& wrong, const std::vector<int64_t>& right, const Part& part,
                              const Problem& problem) {
  const int64_t columns = part.columns();
  for (const HostTensor& input : problem.tensors) {
    const TensorSpec& spec = input.spec;
    if (spec.role != Role::kInput || spec.rank != part.rank || spec.packed || spec.format->is_integer() ||
        spec.format->specials == Specials::kBits || spec.shape.size() < 2 || !has_rows(spec) || spec.shape.back() == 0)
      continue;
    const int64_t in_columns = spec.shape.back();
    if (spec.elements() / in_columns != part.rows() || (in_columns != columns && in_columns != 2 * columns)) continue;
    for (int64_t from = 0; from < in_columns; from += columns)
      for (const bool size : {false, true}) {
        const auto value = [&](int64_t i) {
          const int64_t at = spec.row(i / columns) + (i % columns + from) * spec.strides.back();
          const double v = decode(*spec.format, input.code(at));
          return size ? std::abs(v) : v;
        };
        Extent of_wrong, of_right;
        for (const int64_t i : wrong) of_wrong.add(value(i));
        for (const int64_t i : right) of_right.add(value(i));
        if (!of_wrong.enough() || !of_right.enough()) continue;
        if (std::any_of(wrong.begin(), wrong.end(), [&](int64_t i) { return std::isnan(value(i)); })) continue;
        const bool above = of_wrong.low > of_right.high, below = of_wrong.high < of_right.low;
        if (!above && !below) continue;
        const std::string place = fmt::format("{}[i, j{}]", spec.name, from > 0 ? fmt::format(" + {}", from) : "");
        return fmt::format("{} is {} {:.6g}", size ? "|" + place + "|" : place, above ? "at least" : "at most",
                           above ? of_wrong.low : of_wrong.high);
      }
  }
  return "";
}

std::optional<Regularity> range_of_input(const WrongPart& wrong, const Problem& problem) {
  constexpr size_t kFewestElements = 8;
  const auto [failing, right] = wrong_and_right(wrong);
  if (failing.size() < kFewestElements || right.size() < kFewestElements) return std::nullopt;
  if ((wrong.part().rows() > 1 && whole_rows_or_columns(wrong)) || !places_apart(failing, right, wrong.part().columns()).empty())
    return std::nullopt;  // positions tell them apart, too
  const std::string where = input_range_apart(failing, right, wrong.part(), problem);
  if (where.empty()) return std::nullopt;
  const auto count = int64_t(failing.size());
  return Regularity{.part = wrong.label(),
                    .words = "errors in every element where " + where + ", and in no other",
                    .failing = count,
                    .explained = count,
                    .is_fact = true};
}

}  // namespace assay
