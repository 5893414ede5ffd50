// Sums over ranks that count the input of a rank twice, or leave it out. Outputs of a sum are a linear function of the inputs of
// all ranks, so the number of times that each input is counted follows from the outputs.
#include <Eigen/Dense>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/wrong_part.h"

namespace assay {
namespace {

using Counts = std::vector<int>;

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
    terms.values.push_back(numbers_of(input));
    terms.names.push_back(fmt::format("{} of rank {}", spec.name, spec.rank));
  }
  return terms;
}

/// How often each term is counted in the numbers value(i) of the elements [first, end); nothing if no small integers give them.
std::optional<Counts> counts_in(const Format& format, const std::function<double(int64_t)>& value, const Terms& terms,
                                int64_t first, int64_t end) {
  const size_t n = terms.values.size();
  Eigen::MatrixXd a = Eigen::MatrixXd::Zero(Eigen::Index(n), Eigen::Index(n));  // normal equations of least squares
  Eigen::VectorXd b = Eigen::VectorXd::Zero(Eigen::Index(n));
  for (int64_t i = first; i < end; ++i) {
    if (!std::isfinite(value(i))) return std::nullopt;
    double largest = 0;
    for (size_t k = 0; k < n; ++k) largest = std::max(largest, std::abs(terms.values[k][size_t(i)]));
    if (!std::isfinite(largest)) return std::nullopt;
    if (largest == 0) continue;
    for (size_t k = 0; k < n; ++k) {
      const double scaled = terms.values[k][size_t(i)] / largest;
      for (size_t l = 0; l < n; ++l) a(Eigen::Index(k), Eigen::Index(l)) += scaled * (terms.values[l][size_t(i)] / largest);
      b(Eigen::Index(k)) += scaled * (value(i) / largest);
    }
  }
  const Eigen::VectorXd solution = a.partialPivLu().solve(b);
  if (!solution.allFinite()) return std::nullopt;  // the equations have no single solution
  constexpr double kFarthest = 0.2;                // of a solution from an integer
  Counts counts;
  for (const double one : solution) {
    if (!(one > -kFarthest && one < double(n) + kFarthest) || std::abs(one - std::round(one)) > kFarthest) return std::nullopt;
    counts.push_back(int(std::round(one)));
  }
  const double slack = std::ldexp(1.0 + double(n) / 4, -format.mantissa_bits);  // each addition may round
  for (int64_t i = first; i < end; ++i) {
    double sum = 0, size = 0;
    for (size_t k = 0; k < n; ++k) {
      const double term = counts[k] * terms.values[k][size_t(i)];
      sum += term, size += std::abs(term);
    }
    if (std::abs(sum - value(i)) > size * slack + std::ldexp(1.0, format.min_exponent() - format.mantissa_bits))
      return std::nullopt;
  }
  return counts;
}

/// A difference between how often terms are counted and how often they should be.
struct Miscount {
  Counts expected, held;
  std::vector<int64_t> windows;  ///< their first elements

  std::string text(const Terms& terms) const {
    std::string words;
    for (size_t k = 0; k < held.size(); ++k)
      if (held[k] != expected[k])
        words += fmt::format("{}{} is {}", words.empty() ? "" : " and ", terms.names[k],
                             held[k] == 0   ? "left out"
                             : held[k] == 1 ? "added"
                             : held[k] == 2 ? "counted twice"
                                            : fmt::format("counted {} times", held[k]));
    return words;
  }
};

}  // namespace

Rule counts_of_ranks(const WrongPart& wrong, const Problem& problem) {
  constexpr int64_t kLeastWindow = 32, kMostWindows = 1024, kMostElements = int64_t{1} << 20;
  constexpr size_t kMostTerms = 17, kMostNamed = 3;
  const Format& format = wrong.format();
  const int64_t elements = wrong.part().elements();
  if (problem.ranks < 2 || !is_number(format) || format.bits < 16 || elements > kMostElements) return std::nullopt;
  const Terms terms = terms_of(wrong, problem);
  if (terms.values.size() < 2 || terms.values.size() > kMostTerms) return std::nullopt;
  const int64_t window = std::max({kLeastWindow, 3 * int64_t(terms.values.size()), (elements + kMostWindows - 1) / kMostWindows});
  std::vector<Miscount> found;
  std::set<int64_t> fitted;  // first elements of the windows of `found`
  for (int64_t first = 0; first + window <= elements; first += window) {
    const auto counts = [&](const std::function<double(int64_t)>& value) {
      return counts_in(format, value, terms, first, first + window);
    };
    const std::optional<Counts> held = counts([&](int64_t i) { return wrong.value(i); });
    if (!held) continue;
    const std::optional<Counts> expected = counts([&](int64_t i) { return wrong.middle(i).value_or(HUGE_VAL); });
    if (!expected || *held == *expected) continue;
    // If all terms are counted equally often, a factor of the whole sum is wrong.
    if (std::all_of(held->begin(), held->end(), [&](int one) { return one == held->front(); })) continue;
    fitted.insert(first);
    const auto same = std::find_if(found.begin(), found.end(),
                                   [&](const Miscount& one) { return one.held == *held && one.expected == *expected; });
    (same == found.end() ? found.emplace_back(Miscount{*expected, *held, {}}) : *same).windows.push_back(first);
  }
  if (found.empty()) return std::nullopt;
  const int64_t explained = wrong.count([&](int64_t i) { return fitted.contains(i - i % window); });
  std::string words;
  for (size_t i = 0; i < std::min(kMostNamed, found.size()); ++i)
    words += fmt::format("{}{}{}", i == 0 ? "" : "; ", found[i].text(terms),
                         found.size() == 1 ? "" : fmt::format(" at element {}", found[i].windows.front()));
  if (found.size() > kMostNamed) words += "; ...";
  return {{fmt::format("sums over the ranks in which {}", words), explained}};
}

namespace {

/// A sum over ranks: the term of each rank, and what else is added, once.
struct SumOfRanks {
  std::string name;
  std::vector<std::vector<double>> terms;
  std::vector<double> rest;

  /// Whether `held` is the sum of `of(rank)` over the ranks, up to the rounding of each addition.
  bool gives(int64_t i, double held, const Format& format, const std::function<size_t(size_t rank)>& of) const {
    double sum = rest[size_t(i)], size = std::abs(sum);
    for (size_t rank = 0; rank < terms.size(); ++rank) {
      const double term = terms[of(rank)][size_t(i)];
      sum += term, size += std::abs(term);
    }
    return std::abs(held - sum) <= size * std::ldexp(1.0 + double(terms.size()) / 2, -format.mantissa_bits - 1) +
                                       std::ldexp(1.0, format.min_exponent() - format.mantissa_bits);
  }
};

/// The sums over ranks that the output may be. An input that only this rank has, or all have alike, may be added to them.
std::vector<SumOfRanks> sums_of_ranks(const WrongPart& wrong, const Problem& problem) {
  const int64_t elements = wrong.part().elements();
  std::map<std::string, std::map<int, std::vector<double>>> inputs;
  for (const HostTensor& input : problem.tensors) {
    if (holds_numbers(input) && input.spec.elements() == elements)
      inputs[input.spec.name].try_emplace(input.spec.rank, numbers_of(input));
  }
  std::vector<SumOfRanks> all;
  for (const auto& [name, of_ranks] : inputs) {
    if (int64_t(of_ranks.size()) != problem.ranks) continue;
    SumOfRanks alone{name, {}, std::vector<double>(size_t(elements), 0)};
    for (const auto& [rank, values] : of_ranks) alone.terms.push_back(values);
    all.push_back(alone);
    for (const auto& [other, of_others] : inputs) {
      const auto here = of_others.find(wrong.part().rank);
      if (other == name || here == of_others.end()) continue;
      all.push_back(alone);
      all.back().rest = here->second;
    }
  }
  return all;
}

}  // namespace

Rule one_rank_for_all(const WrongPart& wrong, const Problem& problem) {
  constexpr int64_t kFewestWrong = 32, kMostElements = int64_t{1} << 18;
  constexpr int kMostRanks = 8;
  constexpr size_t kFewestNumbers = 8;
  const Format& format = wrong.format();
  const int64_t elements = wrong.part().elements();
  const auto failing = int64_t(wrong.failing().size());
  if (problem.ranks < 2 || problem.ranks > kMostRanks || !is_number(format) || format.bits < 16 || elements > kMostElements ||
      failing < kFewestWrong || wrong.distinct(kFewestNumbers) < kFewestNumbers)
    return std::nullopt;
  for (const SumOfRanks& sum : sums_of_ranks(wrong, problem)) {
    bool is_due = true;
    for (int64_t i = 0; i < elements && is_due; ++i) {
      const std::optional<double> due = wrong.middle(i);
      is_due = due && std::isfinite(*due) && sum.gives(i, *due, format, [](size_t rank) { return rank; });
    }
    if (!is_due) continue;
    // If the ranks have nearly equal inputs, a wrong rounding also fits.
    const int64_t near = std::count_if(wrong.failing().begin(), wrong.failing().end(), [&](int64_t i) {
      return sum.gives(i, wrong.value(i), format, [](size_t rank) { return rank; });
    });
    if (2 * near > failing || failing - near < kFewestWrong) continue;
    for (size_t rank = 0; rank < sum.terms.size(); ++rank) {
      bool holds = true;
      for (int64_t i = 0; i < elements && holds; ++i)
        holds = std::isfinite(wrong.value(i)) && sum.gives(i, wrong.value(i), format, [rank](size_t) { return rank; });
      if (holds)
        return {{fmt::format("sums over the ranks in which every term is {} of rank {}: what all ranks send is stored at, or read "
                             "from, one place",
                             sum.name, rank),
                 failing}};
    }
    // Ranks that store at one place race, so the last one may differ between vectors.
    std::set<size_t> last;
    const auto of_some_rank = [&](int64_t i) {
      for (size_t rank = 0; rank < sum.terms.size(); ++rank)
        if (std::isfinite(wrong.value(i)) && sum.gives(i, wrong.value(i), format, [rank](size_t) { return rank; })) {
          last.insert(rank);
          return true;
        }
      return false;
    };
    if (std::all_of(wrong.failing().begin(), wrong.failing().end(), of_some_rank) && last.size() > 1)
      return {{fmt::format("sums over the ranks in which every term is {} of one rank, which differs between elements: what all ranks "
                           "send is stored at one place",
                           sum.name),
               failing}};
  }
  return std::nullopt;
}

// Joins causes that say the same of several ranks: all ranks run the same code, so a mistake shows on each of them.

namespace {

bool is_decimal(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

/// The label of a rank in a text: " of rank 3" or ".rank 3".
struct RankLabel {
  size_t begin = std::string::npos, end = 0;
  int64_t rank = 0;
};

RankLabel rank_label(const std::string& words) {
  RankLabel found;
  for (const char* const label : {".rank ", " of rank "}) {
    const size_t at = words.find(label);
    const size_t digits = at == std::string::npos ? at : at + std::string(label).size();
    if (at >= found.begin || digits >= words.size() || !is_decimal(words[digits])) continue;
    found = {at, digits, 0};
    while (found.end < words.size() && is_decimal(words[found.end])) found.rank = 10 * found.rank + (words[found.end++] - '0');
  }
  return found;
}

/// The text without its first rank. Counts such as "958 of 959" are left out, and the numbers in the parentheses that end a
/// pattern.
std::string text_of_any_rank(const std::string& words, const RankLabel& label) {
  const std::string rest = words.substr(0, label.begin) + "@" + words.substr(label.end), of = " of ";
  const size_t counts = rest.rfind(" (");
  std::string text;
  for (size_t at = 0; at < rest.size();) {
    size_t end = at;
    while (end < rest.size() && is_decimal(rest[end])) ++end;
    if (end == at) {
      text += rest[at++];
      continue;
    }
    const bool is_count = at > counts || rest.compare(end, of.size(), of) == 0 ||
                          (at >= of.size() && rest.compare(at - of.size(), of.size(), of) == 0);
    text += is_count ? "#" : rest.substr(at, end - at);
    at = end;
  }
  return text;
}

}  // namespace

void join_ranks(std::vector<std::string>& causes, int ranks) {
  if (ranks < 2) return;
  std::map<std::string, std::set<int64_t>> of_text;
  for (const std::string& words : causes)
    if (const RankLabel label = rank_label(words); label.begin != std::string::npos)
      of_text[text_of_any_rank(words, label)].insert(label.rank);
  std::set<std::string> told;
  std::vector<std::string> joined;
  for (const std::string& words : causes) {
    const RankLabel label = rank_label(words);
    const std::string key = label.begin == std::string::npos ? "" : text_of_any_rank(words, label);
    if (key.empty() || of_text[key].size() < 2) {
      joined.push_back(words);
      continue;
    }
    if (!told.insert(key).second) continue;
    const std::set<int64_t>& who = of_text[key];
    const std::string of = int64_t(who.size()) == ranks ? fmt::format(" of each of {} ranks", ranks)
                                                        : " of ranks " + numbers_text(who, std::numeric_limits<int64_t>::max());
    std::string text = words.substr(0, label.begin) + of + words.substr(label.end);
    const std::string counted = " wrong elements";
    if (const size_t at = text.rfind(counted); at != std::string::npos)
      text.insert(at + counted.size(), fmt::format(" of rank {}", label.rank));
    joined.push_back(std::move(text));
  }
  causes = std::move(joined);
}

}  // namespace assay
