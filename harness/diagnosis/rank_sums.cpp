// Sums over ranks that count the input of a rank twice, or leave it out. Outputs of a sum are a linear function of the inputs of all
// ranks, so the number of times that each input is counted follows from the outputs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/diagnosis/wrong_part.h"

namespace assay {
namespace {

using Counts = std::vector<int>;

/// Solves a system of linear equations. Nothing if it has no single solution.
std::optional<std::vector<double>> solved(std::vector<std::vector<double>> a, std::vector<double> b) {
  const size_t n = b.size();
  for (size_t column = 0; column < n; ++column) {
    size_t pivot = column;
    for (size_t row = column + 1; row < n; ++row)
      if (std::abs(a[row][column]) > std::abs(a[pivot][column])) pivot = row;
    if (!(std::abs(a[pivot][column]) > 0)) return std::nullopt;
    std::swap(a[pivot], a[column]), std::swap(b[pivot], b[column]);
    for (size_t row = column + 1; row < n; ++row) {
      const double by = a[row][column] / a[column][column];
      for (size_t k = column; k < n; ++k) a[row][k] -= by * a[column][k];
      b[row] -= by * b[column];
    }
  }
  for (size_t i = n; i-- > 0;) {
    for (size_t k = i + 1; k < n; ++k) b[i] -= a[i][k] * b[k];
    b[i] /= a[i][i];
    if (!std::isfinite(b[i])) return std::nullopt;
  }
  return b;
}

/// Inputs with as many elements as the output: their values, and their names in texts.
struct Terms {
  std::vector<std::vector<double>> values;
  std::vector<std::string> names;
};

Terms terms_of(const WrongPart& wrong, const Problem& problem) {
  Terms terms;
  std::vector<const HostTensor*> taken;
  for (const HostTensor& input : problem.tensors) {
    const TensorSpec& spec = input.spec;
    if (input.bytes.empty() || spec.format->is_integer() || spec.format->bits < 16 || spec.packed || !has_rows(spec) ||
        spec.elements() != wrong.part().elements())
      continue;
    // Ranks may hold copies of one input. Only one of them is a term of the sum.
    if (std::any_of(taken.begin(), taken.end(), [&](const HostTensor* one) { return one->bytes == input.bytes; })) continue;
    taken.push_back(&input);
    std::vector<double>& values = terms.values.emplace_back();
    const int64_t columns = spec.shape.back();
    for (int64_t i = 0; i < spec.elements(); ++i)
      values.push_back(decode(*spec.format, input.code(spec.row(i / columns) + i % columns * spec.strides.back())));
    terms.names.push_back(fmt::format("{} of rank {}", spec.name, spec.rank));
  }
  return terms;
}

/// How often each term is counted in the elements [first, end); nothing if no small integers give them.
std::optional<Counts> counts_in(const WrongPart& wrong, const Terms& terms, int64_t first, int64_t end) {
  const size_t n = terms.values.size();
  std::vector<std::vector<double>> a(n, std::vector<double>(n));
  std::vector<double> b(n);
  for (int64_t i = first; i < end; ++i) {
    if (!std::isfinite(wrong.value(i))) return std::nullopt;
    double largest = 0;
    for (size_t k = 0; k < n; ++k) largest = std::max(largest, std::abs(terms.values[k][size_t(i)]));
    if (!std::isfinite(largest)) return std::nullopt;
    if (largest == 0) continue;
    for (size_t k = 0; k < n; ++k) {
      const double scaled = terms.values[k][size_t(i)] / largest;
      for (size_t l = 0; l < n; ++l) a[k][l] += scaled * (terms.values[l][size_t(i)] / largest);
      b[k] += scaled * (wrong.value(i) / largest);
    }
  }
  const std::optional<std::vector<double>> solution = solved(std::move(a), std::move(b));
  if (!solution) return std::nullopt;
  constexpr double kFarthest = 0.2;  // of a solution from an integer
  Counts counts;
  for (const double one : *solution) {
    if (!(one > -kFarthest && one < double(n) + kFarthest) || std::abs(one - std::round(one)) > kFarthest) return std::nullopt;
    counts.push_back(int(std::round(one)));
  }
  const Format& format = wrong.format();
  const double slack = std::ldexp(1.0 + double(n) / 4, -format.mantissa_bits);  // each addition may round
  for (int64_t i = first; i < end; ++i) {
    double sum = 0, size = 0;
    for (size_t k = 0; k < n; ++k) {
      const double term = counts[k] * terms.values[k][size_t(i)];
      sum += term, size += std::abs(term);
    }
    if (std::abs(sum - wrong.value(i)) > size * slack + std::ldexp(1.0, format.min_exponent() - format.mantissa_bits)) return std::nullopt;
  }
  return counts;
}

std::string counts_text(const Counts& counts, const Terms& terms) {
  std::string words;
  for (size_t k = 0; k < counts.size(); ++k)
    if (counts[k] != 1)
      words += fmt::format("{}{} is {}", words.empty() ? "" : " and ", terms.names[k],
                           counts[k] == 0   ? "left out"
                           : counts[k] == 2 ? "counted twice"
                                            : fmt::format("counted {} times", counts[k]));
  return words;
}

}  // namespace

Rule counts_of_ranks(const WrongPart& wrong, const Problem& problem) {
  constexpr int64_t kLeastWindow = 32, kMostWindows = 1024, kMostElements = int64_t{1} << 20;
  constexpr size_t kMostTerms = 17, kMostNamed = 3;
  const Format& format = wrong.format();
  const int64_t elements = wrong.part().elements();
  if (problem.ranks < 2 || format.is_integer() || format.bits < 16 || format.specials == Specials::kBits ||
      format.specials == Specials::kScale || elements > kMostElements)
    return std::nullopt;
  const Terms terms = terms_of(wrong, problem);
  if (terms.values.size() < 2 || terms.values.size() > kMostTerms) return std::nullopt;
  const int64_t window =
      std::max({kLeastWindow, 3 * int64_t(terms.values.size()), (elements + kMostWindows - 1) / kMostWindows});
  std::vector<std::pair<Counts, std::vector<int64_t>>> found;  // counts, and the first elements of their windows
  for (int64_t first = 0; first + window <= elements; first += window) {
    const std::optional<Counts> counts = counts_in(wrong, terms, first, first + window);
    // If all terms are counted equally often, the sum is right, or a factor of it is wrong.
    if (!counts || std::all_of(counts->begin(), counts->end(), [&](int one) { return one == counts->front(); })) continue;
    const auto same = std::find_if(found.begin(), found.end(), [&](const auto& one) { return one.first == *counts; });
    (same == found.end() ? found.emplace_back(*counts, std::vector<int64_t>()) : *same).second.push_back(first);
  }
  if (found.empty()) return std::nullopt;
  std::map<int64_t, bool> is_fitted;  // by the first element of a window
  for (const auto& [counts, windows] : found)
    for (const int64_t first : windows) is_fitted[first] = true;
  const int64_t explained = wrong.count([&](int64_t i) { return is_fitted.contains(i - i % window); });
  std::string words;
  for (size_t i = 0; i < std::min(kMostNamed, found.size()); ++i)
    words += fmt::format("{}{}{}", i == 0 ? "" : "; ", counts_text(found[i].first, terms),
                         found.size() == 1 ? "" : fmt::format(" at element {}", found[i].second.front()));
  if (found.size() > kMostNamed) words += "; ...";
  return {{fmt::format("sums over the ranks in which {}", words), explained}};
}

}  // namespace assay
