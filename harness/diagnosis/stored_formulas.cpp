// Outputs that a short formula gives: an input that is only multiplied by a vector of weights, because a stage is left out, or
// the expected values plus one number.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/wrong_part.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

constexpr int64_t kMostElements = int64_t{1} << 18;
constexpr size_t kFewestNumbers = 4;  // different ones that the wrong elements hold

/// The numbers of an input, or of a sum of two inputs, and its name in texts.
struct Named {
  std::string name;
  std::vector<double> at;
};

bool is_read(const HostTensor& tensor, int rank) {
  return tensor.spec.rank == rank && !tensor.spec.shape.empty() && holds_numbers(tensor);
}

/// Inputs with the shape of the output, then their sums in pairs.
std::vector<Named> data_of_call(const Problem& problem, const Part& part) {
  constexpr size_t kMostInputs = 2;
  std::vector<Named> all;
  for (const HostTensor& tensor : problem.tensors)
    if (is_read(tensor, part.rank) && tensor.spec.shape.size() > 1 && tensor.spec.elements() == part.elements() &&
        tensor.spec.shape.back() == part.columns() && all.size() < kMostInputs)
      all.push_back({tensor.spec.name, numbers_of(tensor)});
  if (all.size() < kMostInputs) return all;
  Named sum{fmt::format("({} + {})", all[0].name, all[1].name), all[0].at};
  for (size_t i = 0; i < sum.at.size(); ++i) sum.at[i] += all[1].at[i];
  all.push_back(std::move(sum));
  return all;
}

/// Inputs with one number for each column.
std::vector<Named> vectors_of_call(const Problem& problem, const Part& part) {
  std::vector<Named> all;
  for (const HostTensor& tensor : problem.tensors)
    if (is_read(tensor, part.rank) && tensor.spec.shape.size() == 1 && tensor.spec.elements() == part.columns())
      all.push_back({tensor.spec.name, numbers_of(tensor)});
  return all;
}

/// Whether one factor for each row turns the expected values into the stored ones. Other rules name that.
bool differs_by_factors_of_rows(const WrongPart& wrong, double half) {
  const int64_t columns = wrong.part().columns();
  if (columns == 1) return true;
  for (int64_t row = 0; row < wrong.part().rows(); ++row) {
    double least = std::numeric_limits<double>::infinity(), most = -least;
    for (int64_t i = row * columns; i < (row + 1) * columns; ++i) {
      const std::optional<double> due = wrong.middle(i);
      if (!due || !std::isfinite(*due) || *due == 0 || wrong.value(i) == 0) continue;
      const double ratio = wrong.value(i) / *due;
      least = std::min(least, ratio), most = std::max(most, ratio);
    }
    if (most - least > 16 * half * std::max(std::abs(most), std::abs(least))) return false;
  }
  return true;
}

}  // namespace

Rule only_scaled(const WrongPart& wrong, const Problem& problem) {
  constexpr int64_t kFewestElements = 8;
  const Format& format = wrong.format();
  const Part& part = wrong.part();
  const auto failing = int64_t(wrong.failing().size());
  if (!is_number(format) || format.bits < 16 || part.elements() > kMostElements || failing < kFewestElements ||
      wrong.distinct(kFewestNumbers) < kFewestNumbers)
    return std::nullopt;
  const std::vector<Named> vectors = vectors_of_call(problem, part);
  if (vectors.empty() || vectors.size() > 3) return std::nullopt;
  const int64_t columns = part.columns();
  const double half = power_of_two(-format.mantissa_bits) / 2, least = power_of_two(format.min_exponent());
  std::set<int64_t> rows;
  for (const int64_t i : wrong.failing()) rows.insert(i / columns);
  const auto holds = [&](int64_t i, double product, double addend) {
    // one rounding to the format of the output, and two in fp32
    const double sum = product + addend, in_fp32 = power_of_two(-23) * (std::abs(product) + std::abs(addend));
    return std::abs(wrong.value(i) - sum) <= 1.01 * half * std::max(std::abs(sum), least) + in_fp32;
  };
  for (const Named& x : data_of_call(problem, part))
    for (const Named& gamma : vectors)
      for (size_t b = 0; b <= vectors.size(); ++b) {
        const Named* const beta = b < vectors.size() ? &vectors[b] : nullptr;
        if (beta == &gamma) continue;
        const bool all = std::all_of(rows.begin(), rows.end(), [&](int64_t row) {
          for (int64_t c = 0; c < columns; ++c)
            if (!holds(row * columns + c, x.at[size_t(row * columns + c)] * gamma.at[size_t(c)], beta ? beta->at[size_t(c)] : 0))
              return false;
          return true;
        });
        if (!all || (!beta && differs_by_factors_of_rows(wrong, half))) continue;
        return {{fmt::format("{} * {}{}: what is computed between {} and the multiplication by {} is left out, such as "
                             "(x - mean) * r of a norm",
                             x.name, gamma.name, beta ? " + " + beta->name : "", x.name, gamma.name),
                 failing}};
      }
  return std::nullopt;
}

Rule one_number_for_all(const WrongPart& wrong) {
  constexpr int64_t kFewestElements = 16;
  constexpr double kPrecise = 0.2, kMostNumber = 16;
  const Format& format = wrong.format();
  const auto failing = int64_t(wrong.failing().size());
  if (!is_number(format) || format.bits < 16 || wrong.part().elements() > kMostElements || failing < kFewestElements ||
      wrong.distinct(kFewestNumbers) < kFewestNumbers)
    return std::nullopt;
  const double half = power_of_two(-format.mantissa_bits) / 2;
  double low = -std::numeric_limits<double>::infinity(), high = -low;
  std::set<double> numbers;
  for (int64_t i = 0; i < wrong.part().elements(); ++i) {
    const Interval accepted = wrong.accepted(i);
    if (accepted.any()) continue;
    const double held = wrong.value(i);
    if (!wrong.middle(i) || !std::isfinite(held)) return std::nullopt;
    const double least = decode(format, code_from_ordinal(format, accepted.low)),
                 most = decode(format, code_from_ordinal(format, accepted.high));
    if (!std::isfinite(least) || !std::isfinite(most)) return std::nullopt;
    // Every addition of a sum of results rounds; partial sums may be twice as large as the sum.
    const double slack = 4 * half * (std::abs(held) + std::max(std::abs(least), std::abs(most)));
    low = std::max(low, held - most - slack), high = std::min(high, held - least + slack);
    if (low > high) return std::nullopt;
    if (numbers.size() < kFewestNumbers) numbers.insert(least);
  }
  const double number = std::round((low + high) / 2);
  if (number == 0 || std::abs(number) > kMostNumber || numbers.size() < kFewestNumbers || number < low || number > high ||
      high - low > kPrecise * std::abs(number))
    return std::nullopt;
  return {{fmt::format("the expected values {} {:g} in every element, up to rounding: a sum of results, such as those of split-K "
                       "parts, starts from {:g} instead of 0, or {:g} is {} each result",
                       number > 0 ? "plus" : "minus", std::abs(number), number, std::abs(number),
                       number > 0 ? "added to" : "subtracted from"),
           failing}};
}

}  // namespace assay
