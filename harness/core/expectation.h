// What an op may return: one or several consistent answers, each computed in blocks when asked. Nothing here grows with a tensor.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/interval.h"
#include "harness/core/tensor.h"
#include "reference/formats/format.h"

namespace assay {

enum class PaddingRule {
  kZero,       ///< must be written as zero
  kUntouched,  ///< must still hold what was there before the call
  kFree        ///< says nothing
};

struct Padding {
  int64_t offset;             ///< in storage, elements of the part's format
  std::array<int64_t, 2> at;  ///< logical row and column, beyond the part's own
  PaddingRule rule;
};

/// Where the elements of a part lie in the storage of its tensor, counted in elements of the part's format from the tensor's first
/// byte. Dense and row-major unless said.
class Places {
 public:
  using OfRow = std::function<int64_t(int64_t row)>;
  using OfElement = std::function<int64_t(int64_t row, int64_t column)>;

  Places() = default;
  /// Rows are runs of neighbouring elements; `first` says where each begins.
  static Places of_rows(OfRow first) { return Places(std::move(first), nullptr); }
  static Places of_elements(OfElement at) { return Places(nullptr, std::move(at)); }

  bool rows_are_runs() const { return !element_; }
  bool dense() const { return !row_ && !element_; }
  int64_t of(int64_t row, int64_t column, int64_t columns) const {
    if (element_) return element_(row, column);
    return (row_ ? row_(row) : row * columns) + column;
  }

 private:
  Places(OfRow row, OfElement element) : row_(std::move(row)), element_(std::move(element)) {}
  OfRow row_;
  OfElement element_;
};

/// One output tensor, or the part of it that has one format: a matrix of elements.
struct Part {
  std::string tensor;                 ///< role of the tensor
  const Format* format;               ///< of one element; of packed scales e8m0, though the tensor is int32
  std::array<int64_t, 2> shape;       ///< rows and columns
  std::string justification = {};     ///< by which right elements have more than one code: "rsqrt~2 61 %, tree 39 %"
  std::string name = {};              ///< of a tensor that several parts judge: what its bytes are; empty: the only part
  Places places = {};
  std::function<void(const std::function<void(const Padding&)>& visit)> padding = {};  ///< visits each padding element
  std::function<int64_t(int64_t row)> row_number = {};  ///< what reports call a row, such as its token; empty: counted from 0
  int64_t steps_per_row = 1;  ///< of the answer: row r belongs to step r * steps_per_row
  int rank = 0;               ///< of the process whose tensor it is

  /// What reports call it: "kv_cache.codes".
  std::string label() const { return name.empty() ? tensor : tensor + "." + name; }
  int64_t rows() const { return shape[0]; }
  int64_t columns() const { return shape[1]; }
  int64_t elements() const { return shape[0] * shape[1]; }
  int64_t offset(int64_t row, int64_t column) const { return places.of(row, column, shape[1]); }
  int64_t number_of(int64_t row) const { return row_number ? row_number(row) : row; }

  /// Rows that belong to the steps from `first` to the one before `end`: the first of them, and the one behind the last.
  std::pair<int64_t, int64_t> rows_of_steps(int64_t first, int64_t end) const;
};

/// Accepted codes of consecutive rows of one part, row by row.
struct AcceptedRows {
  int64_t first = 0, end = 0;  ///< rows, the one behind the last
  std::vector<int32_t> low;    ///< lowest accepted ordinals
  std::vector<int32_t> high;   ///< highest accepted ordinals; empty when every element has one code

  Interval at(size_t i) const { return {low[i], high.empty() ? low[i] : high[i]}; }
};

/// Where something was found: an element of a part, or a whole row.
struct Place {
  static constexpr int64_t kWholeRow = -1;
  std::string part;  ///< its label
  int64_t row = 0, column = kWholeRow;
};

/// What no single element shows: one row normalized with two r, two consumers or two ranks with other bits.
struct Violation {
  std::string rule;   ///< which rule, without numbers: "one r for a row"
  std::string words;  ///< what was found: "row 3: no single r explains ..."
  int64_t step = 0;   ///< of the answer; of a violation between tensors 0
  std::vector<Place> places = {};
};

/// What the steps of a block accept, part by part, and the violations found among them.
struct AcceptedBlock {
  std::vector<AcceptedRows> parts;
  std::vector<Violation> violations = {};
};

/// One consistent outcome.
struct Answer {
  std::string program = {};  ///< which of several: "split-K 2"; empty if there is one answer only
  std::vector<Part> parts = {};
  int64_t steps = 0;  ///< rows of work; a step makes at most one row of each part
  /// The rows that belong to the steps from `first` to the one before `end`. May be called from several threads at once.
  std::function<AcceptedBlock(int64_t first, int64_t end)> accepted = {};
  /// Empty, or the same of some columns alone, where a row costs what its elements do: of the one part, row by row.
  std::function<AcceptedBlock(int64_t first, int64_t end, int64_t first_column, int64_t end_column)> of_columns = {};
  /// Empty, or the first elements of the first row of each part, as many as cost little: AcceptedRows of row 0 with fewer columns, or
  /// with none. For those who look whether an edit shows at all.
  std::function<AcceptedBlock()> glimpse = {};
  int64_t products = 1;  ///< that an element is made of, where they are what it costs
  bool ready = false;    ///< computed already: to ask for fewer steps saves nothing

  int64_t elements() const;
};

/// The contract's answers: outputs are right if one answer holds for all of them. It refers to the problem and to the outputs that
/// it was made from, which must live as long.
struct Expectation {
  std::vector<Answer> any_of;
  /// Rules between tensors, such as equal bits on all ranks; empty: there are none.
  std::function<std::vector<Violation>(const std::vector<HostTensor>& outputs)> together = {};

  /// Of an op whose answers differ in numbers only: what parts there are and where they lie.
  const std::vector<Part>& parts() const { return any_of.front().parts; }
};

/// A part whose accepted codes are all there.
struct WholePart {
  Part part;
  std::vector<int32_t> low, high;  ///< as in AcceptedRows, of all rows

  Interval at(int64_t i) const { return {low[size_t(i)], high.empty() ? low[size_t(i)] : high[size_t(i)]}; }
  int64_t offset_at(int64_t i) const { return part.offset(i / part.columns(), i % part.columns()); }
};

/// For small tensors: the answer computed at once, on all cores.
std::vector<WholePart> computed(const Answer& answer);
inline std::vector<WholePart> computed(const Expectation& expectation) { return computed(expectation.any_of.front()); }

/// Two answers over the same steps as one: the parts of the second behind those of the first. Violations keep the names of the parts
/// that they were found in.
Answer side_by_side(Answer first, Answer second);

/// An expectation of one answer that was computed already.
Expectation expectation_of(std::vector<WholePart> parts, std::vector<Violation> violations = {});

}  // namespace assay
