// Edits for elements that a loop over the elements of a vector skips: the kernel uses 0 for them.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "harness/diagnosis/input_edits.h"

namespace assay {
namespace {

constexpr int64_t kFewestColumns = 8, kLongestVector = 16;

bool is_matrix_of_numbers(const TensorSpec& spec) {
  return spec.role == Role::kInput && spec.shape.size() > 1 && has_rows(spec) && spec.elements() > 0 && is_number(*spec.format) &&
         spec.format->bits <= 32 && spec.shape.back() >= kFewestColumns;
}

/// Calls add(words, skips) for each element of a vector of 2, 4, 8 or 16 columns.
template <class Add>
void for_each_element_of_vectors(int64_t columns, Add add) {
  for (int64_t period = 2; period <= std::min(columns, kLongestVector); period *= 2)
    for (int64_t at = 0; at < period; ++at)
      add(fmt::format("[i, j] with j mod {} = {} is read as 0, or never added", period, at),
          [=](int64_t r, int64_t c) { return c % period == at ? kZero : std::pair(r, c); });
}

}  // namespace

std::vector<InputEdit> skipped_elements(const Problem& problem) {
  std::vector<InputEdit> all;
  if (problem.ranks == 1) {
    for (size_t i = 0; i < problem.tensors.size(); ++i)
      if (const TensorSpec& spec = problem.tensors[i].spec; is_matrix_of_numbers(spec))
        for_each_element_of_vectors(spec.shape.back(), [&](const std::string& words, auto source) {
          all.push_back({i, spec.name + ": " + words, source});
        });
    return all;
  }
  // A sum over ranks may have several terms on each rank. If the loop over the ranks skips an element, all of them are missing.
  std::map<int64_t, std::vector<size_t>> by_columns;
  for (size_t i = 0; i < problem.tensors.size(); ++i)
    if (is_matrix_of_numbers(problem.tensors[i].spec)) by_columns[problem.tensors[i].spec.shape.back()].push_back(i);
  for (const auto& [columns, tensors] : by_columns)
    for_each_element_of_vectors(columns, [&](const std::string& words, auto source) {
      InputEdit edit{tensors.front(), "sum over ranks: " + words, source};
      for (size_t i = 1; i < tensors.size(); ++i) edit.with.push_back({tensors[i], edit.name, source});
      all.push_back(std::move(edit));
    });
  return all;
}

}  // namespace assay
