// Rows that all have the address of row 0, in an output and perhaps in inputs too: row pitches that are 0 because they were never
// set.
#include <fmt/format.h>

#include <exception>
#include <set>
#include <string>
#include <vector>

#include "harness/compare/compare.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/wrong_part.h"

namespace assay {
namespace {

/// The tensor with each row of a matrix replaced by the matrix's row 0.
void read_row_0(HostTensor& tensor) {
  const TensorSpec& spec = tensor.spec;
  const int64_t columns = spec.shape.back(), rows = spec.elements() / columns, of_matrix = spec.shape.end()[-2];
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column)
      tensor.set_code(spec.row(row) + column * spec.strides.back(),
                      tensor.code(spec.row(row - row % of_matrix) + column * spec.strides.back()));
}

}  // namespace

std::string zero_pitches(const BoundCase& bound, const Problem& problem, const WholePart& whole,
                         const std::vector<HostTensor>& outputs, WorkBudget& budget) {
  constexpr int64_t kFewestColumns = 8;
  constexpr size_t kFewestCodes = 4, kMostInputs = 4;
  const Part& part = whole.part;
  const HostTensor& tensor = tensor_of(outputs, part);
  const int64_t columns = part.columns(), stored = stored_elements(part, tensor);
  if (part.rows() < 2 || columns < kFewestColumns) return "";
  std::set<uint32_t> codes;
  for (int64_t c = 0; c < columns; ++c) {
    if (whole.offset_at(c) < 0 || whole.offset_at(c) >= stored) return "";
    codes.insert(load_code(part, tensor, whole.offset_at(c)));
  }
  if (codes.size() < kFewestCodes) return "";
  std::vector<size_t> inputs;
  for (size_t i = 0; i < problem.tensors.size(); ++i) {
    const TensorSpec& spec = problem.tensors[i].spec;
    if (access_of(problem.tensors[i]) == Access::kIn && spec.rank == part.rank && spec.shape.size() >= 2 &&
        spec.shape.end()[-2] > 1 && spec.shape.back() >= kFewestColumns && spec.format->bits <= 32 &&
        !(spec.format->is_integer() && spec.format->bits > 8) && has_rows(spec) && spec.elements() > 0)
      inputs.push_back(i);
  }
  if (inputs.size() > kMostInputs) return "";
  for (size_t set = 0; set < size_t{1} << inputs.size(); ++set) {
    Problem changed = problem;
    std::string names;
    for (size_t k = 0; k < inputs.size(); ++k)
      if (set >> k & 1) {
        read_row_0(changed.tensors[inputs[k]]);
        names += (names.empty() ? "" : " and ") + problem.tensors[inputs[k]].spec.name;
      }
    try {
      const Expectation expected = bound.expect(changed, &outputs);
      for (const Answer& answer : expected.any_of) {
        if (!budget.take(answer.elements() * work_of_element(answer))) return "";
        for (const WholePart& other : computed(answer)) {
          if (other.part.label() != part.label() || other.part.rank != part.rank || other.part.shape != part.shape) continue;
          for (int64_t row = 0; row < part.rows(); ++row) {
            int64_t column = 0;
            while (column < columns && membership(part, tensor, stored, whole.offset_at(column),
                                                  other.at(row * columns + column)) == Membership::kInside)
              ++column;
            if (column < columns) continue;
            return fmt::format("address: all rows of {} are stored to row 0{}: {}, as if {} never set", part.label(),
                               names.empty() ? "" : ", and all rows of " + names + " are read from row 0",
                               names.empty() ? "the row pitch is 0" : "the row pitches are 0",
                               names.empty() ? "it were" : "they were");
          }
        }
      }
    } catch (const std::exception&) {  // the op refuses such an input
      continue;
    }
  }
  return "";
}

}  // namespace assay
