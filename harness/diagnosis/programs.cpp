#include "harness/diagnosis/programs.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/expectation.h"
#include "harness/diagnosis/diagnose.h"

namespace assay {
namespace {

// Finds which algorithm variants made the outputs, over all cases that a kernel answered.

/// Steps that are checked first: most variants fail there.
constexpr int64_t kFewSteps = 2;

bool holds(const Answer& answer, const std::vector<HostTensor>& outputs, int64_t first, int64_t end) {
  if (answer.glimpse && first == 0) {  // cheap: a few columns of the first row refute most variants
    const Part& part = answer.parts.front();
    const AcceptedRows rows = answer.glimpse().parts.front();
    for (size_t i = 0; i < rows.low.size(); ++i)
      if (!rows.at(i).holds(*part.format, ordinal(*part.format, load_code(part, tensor_of(outputs, part), part.offset(0, int64_t(i))))))
        return false;
  }
  const AcceptedBlock block = answer.accepted(first, end);
  for (size_t p = 0; p < answer.parts.size(); ++p) {
    const Part& part = answer.parts[p];
    const HostTensor& tensor = tensor_of(outputs, part);
    const AcceptedRows& rows = block.parts[p];
    for (int64_t row = rows.first; row < rows.end; ++row)
      for (int64_t column = 0; column < part.columns(); ++column) {
        const int32_t seen = ordinal(*part.format, load_code(part, tensor, part.offset(row, column)));
        if (!rows.at(size_t((row - rows.first) * part.columns() + column)).holds(*part.format, seen)) return false;
      }
  }
  return true;
}

/// A longer list is summarized: if results have few bits, a hundred variants may match.
constexpr size_t kMostNamed = 12;

/// Splits "UNIT, split-K 2, acc * s" into the name without the split-K part and that part.
std::pair<std::string, std::string> without_cut(const std::string& name) {
  const size_t at = name.find(", split-K ");
  if (at == std::string::npos) return {name, "k whole"};
  const size_t end = std::min(name.find(',', at + 1), name.size());
  const std::string cut = name.substr(at + 2, end - at - 2);
  return {name.substr(0, at) + name.substr(end), cut == "split-K 1" ? "k whole" : cut};
}

}  // namespace

std::vector<std::string> programs_that_made(const Expectation& programs, const std::vector<HostTensor>& outputs) {
  std::vector<char> made(programs.any_of.size(), 0);
  for_each_in_parallel(int64_t(made.size()), [&](int64_t i) {
    const Answer& answer = programs.any_of[size_t(i)];
    const int64_t few = std::min(kFewSteps, answer.steps);
    made[size_t(i)] = holds(answer, outputs, 0, few) && holds(answer, outputs, few, answer.steps);
  });
  std::vector<std::string> names;
  for (size_t i = 0; i < made.size(); ++i)
    if (made[i]) names.push_back(programs.any_of[i].program);
  return names;
}

std::vector<std::string> made_by_lines(const std::vector<std::string>& names) {
  std::vector<std::string> lines;
  if (names.size() <= kMostNamed) {
    for (const std::string& name : names) lines.push_back("made by   " + name);
    return lines;
  }
  std::map<std::string, int> ways;
  for (const std::string& name : names) ++ways[name.substr(0, name.find(", "))];
  const std::string below(10, ' ');
  lines.push_back("made by   one of " + std::to_string(names.size()) + " algorithms that these outputs cannot distinguish:");
  for (const auto& [unit, count] : ways)
    lines.push_back(below + unit + " in " + std::to_string(count) + (count == 1 ? " variant" : " variants"));
  lines.push_back(below + "results with more bits distinguish more of them");
  return lines;
}

void ProgramTally::add(const std::vector<std::string>& names, const std::string& case_id) {
  ++cases_;
  if (names.empty() && unexplained_++ == 0) first_unexplained_ = case_id;
  std::set<std::string> counted;
  for (const std::string& name : names) {
    const auto [way, cut] = without_cut(name);
    ways_[way].cases += counted.insert(way).second;
    ++ways_[way].cuts[cut];
  }
}

std::vector<std::string> ProgramTally::lines() const {
  if (cases_ == 0) return {};
  std::vector<std::string> alike, otherwise;
  for (const auto& [way, seen] : ways_) {
    if (seen.cases < cases_) continue;
    std::string one_cut, cuts;
    for (const auto& [cut, cases] : seen.cuts) {
      if (cases == cases_ && one_cut.empty()) one_cut = cut;
      cuts.append(cuts.empty() ? "" : ", ").append(cut + " in " + std::to_string(cases));
    }
    (one_cut.empty() ? otherwise : alike).push_back(way + "; " + (one_cut.empty() ? cuts : one_cut));
  }
  if (!alike.empty() || !otherwise.empty()) return made_by_lines(alike.empty() ? otherwise : alike);
  std::vector<std::string> lines;
  if (unexplained_ > 0)
    lines.push_back("made by   no known algorithm, in " + std::to_string(unexplained_) + " of " + std::to_string(cases_) +
                    " cases, first " + first_unexplained_);
  else
    lines.push_back("made by   no single algorithm: different algorithms made different cases");
  return lines;
}

namespace {

constexpr size_t kMostPieces = 4;

/// How well one variant matches the outputs.
struct Agreement {
  std::string program;
  std::vector<char> columns, rows;  ///< columns and rows in which it matches every element
  int64_t elements = 0;             ///< matching elements
  int64_t first_other = -1;         ///< first element that does not match
};

/// Ranges of columns that are compared with every variant.
using Windows = std::vector<std::pair<int64_t, int64_t>>;

/// Multiply-accumulates that comparing all variants may cost; beyond it, windows of columns are compared, spread evenly.
constexpr int64_t kMostProductsOfAll = int64_t{1} << 31, kWindows = 4, kFewestInWindow = 4;

Windows windows_of(const Expectation& programs) {
  const Part& part = programs.parts().front();
  const Answer& first = programs.any_of.front();
  const int64_t of_column = std::max<int64_t>(1, int64_t(programs.any_of.size()) * part.rows() * std::max<int64_t>(1, first.products));
  const int64_t each = std::max(kFewestInWindow, kMostProductsOfAll / of_column / kWindows);
  if (!first.of_columns || kWindows * each >= part.columns()) return {{0, part.columns()}};
  Windows windows;
  for (int64_t i = 0; i < kWindows; ++i) {
    const int64_t begin = (part.columns() - each) * i / (kWindows - 1);
    windows.emplace_back(begin, begin + each);
  }
  return windows;
}

Agreement agreement_of(const Answer& answer, const std::vector<HostTensor>& outputs, const Windows& windows) {
  const Part& part = answer.parts.front();
  const HostTensor& tensor = tensor_of(outputs, part);
  Agreement all{answer.program, std::vector<char>(size_t(part.columns()), 1), std::vector<char>(size_t(part.rows()), 1)};
  for (const auto& [begin, end] : windows) {
    const bool whole = end - begin == part.columns();
    const AcceptedBlock block = whole ? answer.accepted(0, answer.steps) : answer.of_columns(0, answer.steps, begin, end);
    const AcceptedRows& accepted = block.parts.front();
    size_t at = 0;
    for (int64_t row = 0; row < part.rows(); ++row)
      for (int64_t column = begin; column < end; ++column) {
        const int32_t seen = ordinal(*part.format, load_code(part, tensor, part.offset(row, column)));
        if (accepted.at(at++).holds(*part.format, seen)) {
          ++all.elements;
          continue;
        }
        if (all.first_other < 0) all.first_other = row * part.columns() + column;
        all.columns[size_t(column)] = all.rows[size_t(row)] = 0;
      }
  }
  return all;
}

/// Numbers of columns or rows as text: "3, 8 to 11, 14"; a long list ends with the count.
std::string ranges(const std::vector<size_t>& lines) {
  constexpr size_t kMostRanges = 6;
  std::vector<std::string> texts;
  for (size_t i = 0; i < lines.size();) {
    size_t j = i;
    while (j + 1 < lines.size() && lines[j + 1] == lines[j] + 1) ++j;
    texts.push_back(i == j ? std::to_string(lines[i]) : fmt::format("{} to {}", lines[i], lines[j]));
    i = j + 1;
  }
  std::string text;
  for (size_t i = 0; i < std::min(texts.size(), kMostRanges); ++i) text += (i == 0 ? "" : ", ") + texts[i];
  return texts.size() > kMostRanges ? fmt::format("{}, ... ({} in all)", text, lines.size()) : text;
}

/// Variants that together made all columns (or rows) marked in `left`, chosen greedily. Empty if kMostPieces do not suffice.
std::vector<std::string> mixture(const std::vector<Agreement>& all, std::vector<char> Agreement::*lines, const char* word,
                                 std::vector<char> left) {
  std::vector<std::string> pieces;
  const auto of_left = [&](const Agreement& one) {
    std::vector<size_t> taken;
    for (size_t i = 0; i < left.size(); ++i)
      if (left[i] && (one.*lines)[i]) taken.push_back(i);
    return taken;
  };
  while (pieces.size() < kMostPieces) {
    std::vector<size_t> best;
    std::string program;
    for (const Agreement& one : all)
      if (std::vector<size_t> taken = of_left(one); taken.size() > best.size()) best = std::move(taken), program = one.program;
    if (best.empty()) return {};
    for (const size_t line : best) left[line] = 0;
    pieces.push_back(fmt::format("{} {} by {}", word, ranges(best), program));
    if (std::count(left.begin(), left.end(), 1) == 0) return pieces;
  }
  return {};
}

}  // namespace

std::vector<std::string> pieces_that_made(const Expectation& programs, const std::vector<HostTensor>& outputs) {
  if (programs.any_of.empty() || programs.parts().front().elements() == 0) return {};
  const Windows windows = windows_of(programs);
  std::vector<Agreement> all(programs.any_of.size());
  for_each_in_parallel(int64_t(all.size()),
                       [&](int64_t i) { all[size_t(i)] = agreement_of(programs.any_of[size_t(i)], outputs, windows); });
  const Part& part = programs.parts().front();
  std::vector<char> columns(size_t(part.columns()), 0);
  for (const auto& [begin, end] : windows) std::fill(columns.begin() + begin, columns.begin() + end, 1);
  const int64_t compared = std::count(columns.begin(), columns.end(), 1);
  std::vector<char> rows(size_t(part.rows()), 1);
  // a column or row of one element may match any variant by chance
  for (const auto& [lines, word, length, left] : {std::tuple(&Agreement::columns, "columns", part.rows(), &columns),
                                                  std::tuple(&Agreement::rows, "rows", compared, &rows)})
    if (length > 1)
      if (std::vector<std::string> pieces = mixture(all, lines, word, *left); !pieces.empty()) return pieces;
  const Agreement& nearest =
      *std::max_element(all.begin(), all.end(), [](const Agreement& a, const Agreement& b) { return a.elements < b.elements; });
  const std::string in = compared < part.columns() ? fmt::format(" in {} of {} columns", compared, part.columns()) : "";
  return {fmt::format("nearest {}: {} of {} elements{}, not [{}, {}]", nearest.program, nearest.elements, part.rows() * compared, in,
                      nearest.first_other / part.columns(), nearest.first_other % part.columns())};
}

// Finds out whether wrong outputs obey another contract of the same op, as if the kernel had chosen a wrong contract.

namespace {

/// Binding a case under another contract makes its inputs anew, so other contracts are only tried for calls of moderate size.
constexpr int64_t kMostOfCall = int64_t{1} << 20;
constexpr size_t kMostContracts = 48;

int64_t elements_of(const Problem& problem) {
  int64_t all = 0;
  for (const HostTensor& tensor : problem.tensors) all += tensor.spec.elements();
  return all;
}

bool same_parts(const Answer& a, const Answer& b) {
  if (a.parts.size() != b.parts.size() || a.steps != b.steps) return false;
  for (size_t p = 0; p < a.parts.size(); ++p)
    if (a.parts[p].label() != b.parts[p].label() || a.parts[p].shape != b.parts[p].shape) return false;
  return true;
}

}  // namespace

std::vector<Cause> obeyed_instead(const Evidence& evidence, const OtherContracts& others, WorkBudget& budget) {
  std::vector<Cause> causes;
  if (!others || !evidence.outputs || elements_of(evidence.problem) > kMostOfCall) return causes;
  const std::vector<HostTensor>& outputs = *evidence.outputs;
  const Expectation right = evidence.bound.expect(evidence.problem, &outputs);
  if (right.any_of.empty()) return causes;
  const Sample sample = evidence.sample ? *evidence.sample : all_steps(right.any_of.front());
  const Memberships contract = memberships(right, outputs, sample);
  size_t tried = 0;
  for (const OtherContract& other : others(evidence.one, evidence.problem)) {
    if (++tried > kMostContracts) break;
    const Expectation expected = other.bound->expect(evidence.problem, &outputs);
    if (expected.any_of.empty() || !same_parts(right.any_of.front(), expected.any_of.front())) continue;
    const int64_t variants = int64_t(expected.any_of.size());
    if (!budget.take(elements_of(evidence.problem) +
                     variants * (1 + contract.elements()) * work_of_element(expected.any_of.front())))
      break;
    const MembershipCounts result = tally(contract, memberships(expected, outputs, sample));
    if (result.failing == 0 || result.explained == 0 || result.open > 0 || result.left() > 0) continue;
    const std::string name =
        fmt::format("obeys {} instead{}", other.id, other.differs.empty() ? "" : fmt::format(" ({})", other.differs));
    causes.push_back({{{name, name, result.explained}}, result.failing, result.explained, 0, 0});
  }
  return causes;
}

}  // namespace assay
