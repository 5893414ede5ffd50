// Results that differ from the expected ones by a product of the call's scales, or by a bias: a sum that starts from 1, or a bias
// that is added twice or never.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "harness/diagnosis/wrong_part.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

constexpr size_t kMostInputs = 4;

/// An input with one number for the whole output, or for each row or column of it.
struct Broadcast {
  const HostTensor* input;
  enum class Of { kAll, kRows, kColumns } of;

  double at(int64_t row, int64_t column) const {
    const int64_t i = of == Of::kAll ? 0 : of == Of::kRows ? row : column;
    return decode(*input->spec.format, input->code(input->spec.place(i)));
  }
};

std::vector<Broadcast> broadcasts(const WrongPart& wrong, const Problem& problem) {
  const int64_t rows = wrong.part().rows(), columns = wrong.part().columns();
  std::vector<Broadcast> all;
  for (const HostTensor& input : problem.tensors) {
    const TensorSpec& spec = input.spec;
    if (spec.role != Role::kInput || spec.rank != wrong.part().rank || spec.packed || spec.format->bits > 32 ||
        spec.shape.empty() || spec.elements() == 0 || !is_number(*spec.format) || !has_rows(spec))
      continue;
    const int64_t elements = spec.elements();
    const bool is_row = spec.shape.back() == elements, is_column = spec.shape.back() == 1;
    if (elements == 1)
      all.push_back({&input, Broadcast::Of::kAll});
    else if (elements == rows && (is_column || (is_row && rows != columns)))
      all.push_back({&input, Broadcast::Of::kRows});
    else if (elements == columns && is_row)
      all.push_back({&input, Broadcast::Of::kColumns});
  }
  return all;
}

}  // namespace

Rule plus_scales(const WrongPart& wrong, const Problem& problem) {
  constexpr double kSlack = 0.02, kPrecise = 0.1;  // as shares of the difference
  constexpr int64_t kFewestPrecise = 8;
  if (!is_number(wrong.format()) || wrong.format().mantissa_bits < 2) return std::nullopt;
  const std::vector<Broadcast> inputs = broadcasts(wrong, problem);
  if (inputs.empty() || inputs.size() > kMostInputs) return std::nullopt;
  const int64_t columns = wrong.part().columns();
  for (size_t set = 1; set < size_t{1} << inputs.size(); ++set)
    for (const double sign : {1.0, -1.0}) {
      int64_t precise = 0, explained = 0;
      for (const int64_t i : wrong.failing()) {
        double product = sign;
        for (size_t k = 0; k < inputs.size(); ++k)
          if (set >> k & 1) product *= inputs[k].at(i / columns, i % columns);
        const std::optional<double> due = wrong.middle(i);
        const double held = wrong.value(i);
        if (!due || !std::isfinite(*due) || !std::isfinite(held) || !std::isfinite(product) || product == 0) break;
        const double rounding = std::ldexp(std::abs(held) + std::abs(*due), -wrong.format().mantissa_bits - 1);
        if (std::abs(held - *due - product) > kSlack * std::abs(product) + rounding) break;
        ++explained, precise += rounding < kPrecise * std::abs(product);
      }
      if (explained < int64_t(wrong.failing().size()) || precise < kFewestPrecise) continue;
      std::string names;
      size_t count = 0;
      for (size_t k = 0; k < inputs.size(); ++k)
        if (set >> k & 1) names += (count++ == 0 ? "" : " * ") + inputs[k].input->spec.name;
      const bool plus = sign > 0;
      return {{fmt::format(
                   "the expected values {} {}: {}", plus ? "plus" : "minus", names,
                   count > 1 ? fmt::format("the sum that is multiplied by them starts from {} instead of 0", plus ? "1" : "-1")
                   : plus    ? fmt::format("{0} is added once too often, or a sum that is multiplied by {0} starts from 1", names)
                             : fmt::format("{0} is not added, or a sum that is multiplied by {0} starts from -1", names)),
               explained}};
    }
  return std::nullopt;
}

}  // namespace assay
