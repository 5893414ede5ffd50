#include "harness/diagnosis/pieces.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "harness/compare/element.h"
#include "harness/core/blocks.h"
#include "harness/core/tensor_of_part.h"

namespace assay {
namespace {

constexpr size_t kMostPieces = 4;

/// How well one variant matches the outputs.
struct Agreement {
  std::string program;
  std::vector<char> columns, rows;  ///< columns and rows in which it matches every element
  int64_t elements = 0;             ///< matching elements
  int64_t first_other = -1;         ///< first element that does not match
};

Agreement agreement_of(const Answer& answer, const std::vector<HostTensor>& outputs) {
  const Part& part = answer.parts.front();
  const HostTensor& tensor = tensor_of(outputs, part);
  Agreement all{answer.program, std::vector<char>(size_t(part.columns()), 1), std::vector<char>(size_t(part.rows()), 1)};
  const AcceptedBlock block = answer.accepted(0, answer.steps);
  const AcceptedRows& accepted = block.parts.front();
  for (int64_t row = 0; row < part.rows(); ++row)
    for (int64_t column = 0; column < part.columns(); ++column) {
      const int64_t i = row * part.columns() + column;
      if (accepted.at(size_t(i)).holds(*part.format, ordinal(*part.format, load_code(part, tensor, part.offset(row, column))))) {
        ++all.elements;
        continue;
      }
      if (all.first_other < 0) all.first_other = i;
      all.columns[size_t(column)] = all.rows[size_t(row)] = 0;
    }
  return all;
}

/// Line numbers as text: "3, 8 to 11 and 14"; a long list ends with the count.
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

/// Variants that together cover all columns (or rows), chosen greedily. Empty if some line matches no variant.
std::vector<std::string> mixture(const std::vector<Agreement>& all, std::vector<char> Agreement::*lines, const char* word) {
  std::vector<char> left((all.front().*lines).size(), 1);
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
  std::vector<Agreement> all(programs.any_of.size());
  for_each_in_parallel(int64_t(all.size()), [&](int64_t i) { all[size_t(i)] = agreement_of(programs.any_of[size_t(i)], outputs); });
  // a line of one element matches any variant
  const Part& part = programs.parts().front();
  for (const auto& [lines, word, length] : {std::tuple(&Agreement::columns, "columns", part.rows()), std::tuple(&Agreement::rows, "rows", part.columns())})
    if (length > 1)
      if (std::vector<std::string> pieces = mixture(all, lines, word); !pieces.empty()) return pieces;
  const Agreement& nearest = *std::max_element(all.begin(), all.end(), [](const Agreement& a, const Agreement& b) { return a.elements < b.elements; });
  return {fmt::format("nearest {}: {} of {} elements, not [{}, {}]", nearest.program, nearest.elements, part.elements(),
                      nearest.first_other / part.columns(), nearest.first_other % part.columns())};
}

}  // namespace assay
