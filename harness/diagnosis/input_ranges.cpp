// Finds a limit of an input that separates two sets of output elements: a branch of the kernel begins there.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/diagnosis/wrong_part.h"

namespace assay {
namespace {

/// The smallest and the largest of some numbers. A range that only one or two different numbers support is not reported.
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

// Finds out whether a mistake occurs only in groups of elements with large inputs, in outputs whose groups have one scale each. A
// branch of the kernel for large inputs does that: it changes the scale, and with it every element of the group.

namespace {

/// The groups of an answer, by row and number in the row.
struct Groups {
  size_t codes = 0, scales = 0;  ///< the parts that hold the elements and their scales
  int64_t of_row = 0, width = 0;

  int64_t at(size_t part, int64_t element) const {
    return part == scales ? element : element / (of_row * width) * of_row + element % (of_row * width) / width;
  }
};

std::optional<Groups> groups_of(const Answer& answer) {
  for (size_t s = 0; s < answer.parts.size(); ++s)
    for (size_t q = 0; q < answer.parts.size(); ++q) {
      const Part &scales = answer.parts[s], &codes = answer.parts[q];
      if (!scales.tensor.starts_with("scale") || q == s || scales.rows() != codes.rows() || scales.rank != codes.rank ||
          scales.columns() == 0 || 2 * scales.columns() > codes.columns() || codes.columns() % scales.columns() != 0)
        continue;
      return Groups{q, s, scales.columns(), codes.columns() / scales.columns()};
    }
  return std::nullopt;
}

}  // namespace

std::string groups_apart(const Answer& answer, const Memberships& contract, const Memberships& hypothesis,
                         const Problem& problem) {
  constexpr size_t kFewestRight = 4, kFewestWrong = 2;
  constexpr int64_t kManyElements = 24;
  const std::optional<Groups> groups = groups_of(answer);
  if (!groups) return "";
  std::set<int64_t> wrong, contradicted;
  int64_t elements = 0;
  for (size_t p = 0; p < answer.parts.size(); ++p) {
    if (contract.parts[p].size() != size_t(answer.parts[p].elements())) return "";
    for (size_t i = 0; i < contract.parts[p].size(); ++i) {
      const bool fails = contract.parts[p][i] == Membership::kOutside, other = hypothesis.parts[p][i] == Membership::kOutside;
      if (!fails && !other) continue;
      if ((fails && other) || (p != groups->codes && p != groups->scales)) return "";
      (fails ? wrong : contradicted).insert(groups->at(p, int64_t(i)));
      elements += fails;
    }
  }
  std::vector<int64_t> right;
  std::set_difference(contradicted.begin(), contradicted.end(), wrong.begin(), wrong.end(), std::back_inserter(right));
  if (right.size() != contradicted.size() || right.size() < kFewestRight) return "";
  if (wrong.empty() || (wrong.size() < kFewestWrong && elements < kManyElements)) return "";
  const Part& codes = answer.parts[groups->codes];
  for (const HostTensor& input : problem.tensors) {
    const TensorSpec& spec = input.spec;
    if (spec.role != Role::kInput || spec.rank != codes.rank || spec.packed || !is_number(*spec.format) ||
        spec.shape.size() < 2 || !has_rows(spec) || spec.elements() == 0)
      continue;
    const int64_t in_columns = spec.shape.back(), columns = codes.columns();
    if (spec.elements() / in_columns != codes.rows() || (in_columns != columns && in_columns != 2 * columns)) continue;
    for (int64_t from = 0; from < in_columns; from += columns)
      for (const auto& [words, of] :
           {std::pair<const char*, double (*)(double)>{"|{}| reaches {:.6g}", [](double v) { return std::abs(v); }},
            {"{} falls to {:.6g}", [](double v) { return -v; }},
            {"{} reaches {:.6g}", [](double v) { return v; }}}) {
        const auto largest = [&, of = of](int64_t group) {
          double most = -HUGE_VAL;
          for (int64_t c = 0; c < groups->width; ++c) {
            const int64_t column = group % groups->of_row * groups->width + c + from;
            const double value =
                of(decode(*spec.format, input.code(spec.row(group / groups->of_row) + column * spec.strides.back())));
            if (!std::isnan(value)) most = std::max(most, value);
          }
          return most;
        };
        double least_wrong = HUGE_VAL, most_right = -HUGE_VAL;
        for (const int64_t group : wrong) least_wrong = std::min(least_wrong, largest(group));
        for (const int64_t group : right) most_right = std::max(most_right, largest(group));
        if (least_wrong <= most_right) continue;
        const std::string place = fmt::format("{}[i, j{}]", spec.name, from > 0 ? fmt::format(" + {}", from) : "");
        const double limit = of(1) < 0 ? -least_wrong : least_wrong;
        return ", only where in a group " + fmt::format(fmt::runtime(words), place, limit);
      }
  }
  return "";
}

}  // namespace assay
