// Rules for outputs in which the expected code, or the scale of the block, decides which elements are wrong, and the position does
// not. A wrong threshold, a wrong case for NaN and a scale that is decoded wrongly have this effect.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/compare/compare.h"
#include "harness/compare/verdict.h"
#include "harness/core/case.h"
#include "harness/core/expectation.h"
#include "harness/diagnosis/wrong_part.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

/// "0x3 (1.5) wherever 0x2 (1) is expected"
std::string pair_text(const Format& format, uint32_t due, uint32_t held) {
  return fmt::format("{} wherever {} is expected", value_text(format, held), value_text(format, due));
}

/// The pairs of positive codes, if negative codes are mapped in the same way; else nothing.
std::optional<std::map<uint32_t, uint32_t>> without_signs(const Format& format, const std::map<uint32_t, uint32_t>& map) {
  if (!format.has_sign() || format.is_integer()) return std::nullopt;
  const uint32_t sign = uint32_t(1) << (format.bits - 1);
  std::map<uint32_t, uint32_t> positive;
  for (const auto& [due, held] : map) {
    const auto other = map.find(due ^ sign);
    if (other == map.end() || other->second != (held ^ sign)) return std::nullopt;
    if ((due & sign) == 0) positive.emplace(due, held);
  }
  return positive;
}

/// ": the threshold between 1.5 and 2 is too low" if neighbouring codes are all stored one code too high, or all one too low.
/// `map`: codes of one sign.
std::string threshold_text(const Format& format, const std::map<uint32_t, uint32_t>& map) {
  if (format.is_integer() || map.empty()) return "";
  const uint32_t first = map.begin()->first, last = map.rbegin()->first, sign = uint32_t(1) << (format.bits - 1);
  if (last - first + 1 != map.size() || (format.has_sign() && ((first ^ last) & sign) != 0)) return "";
  const auto all = [&](int by) {
    return std::all_of(map.begin(), map.end(), [by](const auto& one) { return int64_t(one.second) == int64_t(one.first) + by; });
  };
  const bool high = all(1), low = all(-1);
  if (!high && !low) return "";
  const double from = std::abs(decode(format, high ? last : first - 1)), to = std::abs(decode(format, high ? last + 1 : first));
  if (!std::isfinite(from) || !std::isfinite(to) || from >= to) return "";
  return fmt::format(": the threshold between {:.6g} and {:.6g} is too {}", from, to, high ? "low" : "high");
}

}  // namespace

WrongAndRight wrong_and_right(const WrongPart& part) {
  WrongAndRight all{part.failing(), {}};
  for (int64_t i = 0; i < part.part().elements(); ++i)
    if (!part.accepted(i).any() && part.accepts(i, part.codes()[size_t(i)])) all.right.push_back(i);
  return all;
}

Rule map_of_codes(const WrongPart& wrong) {
  constexpr int64_t kFewestOfACode = 4;
  constexpr size_t kMostPairs = 8, kFewestRight = 3, kMostNamed = 4;
  const Format& format = wrong.format();
  const auto failing = int64_t(wrong.failing().size());
  if (format.bits > 8 || format.specials == Specials::kBits || failing < kFewestOfACode) return std::nullopt;
  std::map<uint32_t, uint32_t> map;  // expected code -> stored code
  std::vector<int64_t> open;         // wrong elements for which several codes are accepted
  for (const int64_t i : wrong.failing()) {
    const std::optional<uint32_t> due = wrong.due(i);
    if (!due) {
      open.push_back(i);
      continue;
    }
    const auto [at, is_new] = map.emplace(*due, wrong.codes()[size_t(i)]);
    if (at->second != wrong.codes()[size_t(i)] || map.size() > kMostPairs) return std::nullopt;
  }
  std::set<uint32_t> right;  // expected codes that are stored
  for (int64_t i = 0; i < wrong.part().elements(); ++i) {
    const std::optional<uint32_t> due = wrong.due(i);
    if (!due || !wrong.accepts(i, wrong.codes()[size_t(i)])) continue;
    if (map.contains(*due)) return std::nullopt;
    right.insert(*due);
  }
  for (const int64_t i : open)
    if (std::none_of(map.begin(), map.end(),
                     [&](const auto& one) { return wrong.accepts(i, one.first) && one.second == wrong.codes()[size_t(i)]; }))
      return std::nullopt;
  if (map.empty() || right.size() < std::max(kFewestRight, 2 * map.size()) || failing < kFewestOfACode * int64_t(map.size()))
    return std::nullopt;
  const bool flips_signs = format.has_sign() && std::all_of(map.begin(), map.end(), [&](const auto& one) {
                             return (one.first ^ one.second) == uint32_t(1) << (format.bits - 1);
                           });
  if (flips_signs) return std::nullopt;  // the sign is wrong, whatever the code
  const WrongAndRight elements = wrong_and_right(wrong);
  // Where data repeat, each code has its own positions; then nothing shows whether the code or the position matters.
  if (!places_apart(elements.wrong, elements.right, wrong.part().columns()).empty() ||
      (wrong.part().rows() > 1 && whole_rows_or_columns(wrong)))
    return std::nullopt;
  const std::optional<std::map<uint32_t, uint32_t>> positive = without_signs(format, map);
  const std::map<uint32_t, uint32_t>& named = positive ? *positive : map;
  std::string words;
  size_t count = 0;
  for (const auto& [due, held] : named)
    if (count++ < kMostNamed) words += (words.empty() ? "" : ", ") + pair_text(format, due, held);
  if (count > kMostNamed) words += fmt::format(", ... ({} codes in all)", count);
  if (positive) words += ", with either sign";
  constexpr int64_t kFewestAtThreshold = 8;
  const std::string why = failing < kFewestAtThreshold * int64_t(map.size()) ? "" : threshold_text(format, named);
  return {{words + ", and no other wrong code" + why, failing}};
}

std::optional<Regularity> told_by_scale_codes(const WrongPart& wrong, const std::vector<WrongPart>& all) {
  const Part& part = wrong.part();
  const int64_t rows = part.rows(), columns = part.columns();
  const auto is_scale = [&](const WrongPart& one) {
    const Part& other = one.part();
    return &one != &wrong && other.tensor.starts_with("scale") && other.rank == part.rank && one.complete() &&
           one.failing().empty() && one.format().bits <= 8 && other.elements() > 0 && other.elements() < part.elements() &&
           other.rows() <= rows && other.columns() <= columns;
  };
  const auto found = std::find_if(all.begin(), all.end(), is_scale);
  if (found == all.end()) return std::nullopt;
  const WrongPart& scales = *found;
  const int64_t groups = scales.part().columns(), high = (rows + scales.part().rows() - 1) / scales.part().rows(),
                wide = (columns + groups - 1) / groups;
  const auto block_of = [&](int64_t i) { return i / columns / high * groups + i % columns / wide; };
  std::vector<char> fails(size_t(scales.part().elements())), shows(fails.size());
  std::set<uint32_t> held;
  for (const int64_t i : wrong.failing()) fails[size_t(block_of(i))] = 1, held.insert(wrong.codes()[size_t(i)]);
  // A right block refutes nothing if it would hold the same codes with the mistake, such as a block of zeros.
  constexpr size_t kFewCodes = 4;
  for (int64_t i = 0; i < part.elements(); ++i)
    if (!wrong.accepted(i).any() && (held.size() > kFewCodes || std::none_of(held.begin(), held.end(), [&](uint32_t code) {
                                       return wrong.accepts(i, code);
                                     })))
      shows[size_t(block_of(i))] = 1;
  std::set<uint32_t> wrong_codes, right_codes;
  int64_t wrong_blocks = 0, right_blocks = 0;
  for (size_t block = 0; block < fails.size(); ++block) {
    const uint32_t code = scales.codes()[block];
    if (fails[block])
      ++wrong_blocks, wrong_codes.insert(code);
    else if (shows[block])
      ++right_blocks, right_codes.insert(code);
  }
  if (wrong_codes.empty() || right_codes.empty()) return std::nullopt;
  if (std::any_of(wrong_codes.begin(), wrong_codes.end(), [&](uint32_t code) { return right_codes.contains(code); }))
    return std::nullopt;
  const Format& format = scales.format();
  const std::string name = scales.part().tensor, byte = format.bits > 4 ? "byte" : "code";
  std::string which;
  if (wrong_codes.size() == 1)
    which = "is " + value_text(format, *wrong_codes.begin());
  else if (*wrong_codes.begin() > *right_codes.rbegin())
    which = "is above " + value_text(format, *right_codes.rbegin());
  else if (*wrong_codes.rbegin() < *right_codes.begin())
    which = "is below " + value_text(format, *right_codes.begin());
  else
    return std::nullopt;
  // `ways`: logarithm of the number of ways to choose the wrong blocks. A scale code would single out at most three of these ways
  // for each code, so a random choice has the probability that is compared with kChance.
  const auto all_blocks = double(wrong_blocks + right_blocks);
  const double ways = std::lgamma(all_blocks + 1) - std::lgamma(double(wrong_blocks) + 1) - std::lgamma(double(right_blocks) + 1);
  constexpr double kChance = 1e-3, kOfACode = 3;
  if (std::log(kOfACode * double(wrong_codes.size() + right_codes.size())) - ways > std::log(kChance)) return std::nullopt;
  const WrongAndRight elements = wrong_and_right(wrong);
  if (!places_apart(elements.wrong, elements.right, columns).empty()) return std::nullopt;
  const auto failing = int64_t(wrong.failing().size());
  return Regularity{
      .part = wrong.label(),
      .words = fmt::format("errors in every block whose {} {} {}, and in no other: the kernel uses this scale wrongly", name,
                           byte, which),
      .failing = failing,
      .explained = failing};
}

std::vector<Regularity> told_by_codes(const BoundCase& bound, const Problem& problem, const std::vector<HostTensor>& outputs,
                                      WorkBudget& budget) {
  constexpr int64_t kMostElements = int64_t(1) << 22;
  const Expectation right = bound.expect(problem, &outputs);
  const Answer& answer = right.any_of.front();
  if (right.any_of.size() != 1 || answer.products > 1 || answer.elements() > kMostElements || !budget.take(answer.elements()))
    return {};
  const std::vector<WholePart> whole = computed(answer);
  std::vector<WrongPart> parts;
  for (const WholePart& one : whole) parts.emplace_back(one, tensor_of(outputs, one.part));
  std::vector<Regularity> all;
  for (const WrongPart& wrong : parts) {
    if (!wrong.complete()) return {};
    if (wrong.failing().empty()) continue;
    const auto failing = int64_t(wrong.failing().size());
    if (const Rule map = map_of_codes(wrong))
      all.push_back({.part = wrong.label(), .words = map->words, .failing = failing, .explained = map->explained});
    else if (std::optional<Regularity> by_scale = told_by_scale_codes(wrong, parts))
      all.push_back(std::move(*by_scale));
    else
      return {};
  }
  return all;
}

}  // namespace assay
