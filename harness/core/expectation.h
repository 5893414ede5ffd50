// The outputs that a case accepts: one or several consistent answers, computed block by block on request. Memory use does not
// grow with tensor sizes.
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
  kZero,       ///< must be zero
  kUntouched,  ///< must keep its value from before the call
  kFree        ///< any value is accepted
};

struct Padding {
  int64_t offset;             ///< storage offset, in elements of the part's format
  std::array<int64_t, 2> at;  ///< logical row and column, outside the part's shape
  PaddingRule rule;
};

/// Where the elements of a part are in the storage of its tensor. Offsets count elements of the part's format from the tensor's
/// first byte. The default is dense and row-major.
class Places {
 public:
  using OfRow = std::function<int64_t(int64_t row)>;
  using OfElement = std::function<int64_t(int64_t row, int64_t column)>;

  Places() = default;
  /// Rows of consecutive elements; `first` returns the offset of each row's first element.
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

/// One output tensor, or the part of it that has one format, as a matrix of elements.
struct Part {
  std::string tensor;                 ///< role of the tensor
  const Format* format;               ///< format of one element; e8m0 for packed scales although the tensor is int32
  std::array<int64_t, 2> shape;       ///< rows and columns
  std::string justification = {};     ///< why right elements may have several codes: "rsqrt~2 61 %, tree 39 %"
  std::string name = {};              ///< which bytes of the tensor it covers, if the tensor has several parts; empty: the only
                                      ///< part
  Places places = {};
  std::function<void(const std::function<void(const Padding&)>& visit)> padding = {};  ///< visits each padding element
  std::function<int64_t(int64_t row)> row_number = {};  ///< row number to print in reports, such as the token; empty: rows count
                                                        ///< from 0
  int64_t steps_per_row = 1;  ///< row r belongs to step r * steps_per_row of the answer
  int rank = 0;               ///< rank that owns the tensor

  /// Label in reports: "kv_cache.codes".
  std::string label() const { return name.empty() ? tensor : tensor + "." + name; }
  int64_t rows() const { return shape[0]; }
  int64_t columns() const { return shape[1]; }
  int64_t elements() const { return shape[0] * shape[1]; }
  int64_t offset(int64_t row, int64_t column) const { return places.of(row, column, shape[1]); }
  int64_t number_of(int64_t row) const { return row_number ? row_number(row) : row; }

  /// Rows of the steps [first, end): the first row, and one past the last.
  std::pair<int64_t, int64_t> rows_of_steps(int64_t first, int64_t end) const;
};

/// Accepted codes of consecutive rows of one part, in row-major order.
struct AcceptedRows {
  int64_t first = 0, end = 0;  ///< rows [first, end)
  std::vector<int32_t> low;    ///< lowest accepted ordinals
  std::vector<int32_t> high;   ///< highest accepted ordinals; empty if every element has exactly one code

  Interval at(size_t i) const { return {low[i], high.empty() ? low[i] : high[i]}; }
};

/// Where a violation is: an element of a part, or a whole row.
struct Place {
  static constexpr int64_t kWholeRow = -1;
  std::string part;  ///< label of the part
  int64_t row = 0, column = kWholeRow;
};

/// A broken rule about several elements: one row normalized with two different r, two consumers or two ranks with different bits.
struct Violation {
  std::string rule;   ///< the rule, without numbers: "one r for a row"
  std::string words;  ///< what was found: "row 3: no single r explains ..."
  int64_t step = 0;   ///< step of the answer; 0 for a violation between tensors
  std::vector<Place> places = {};
};

/// What the steps of a block accept, part by part, and the violations found in the block.
struct AcceptedBlock {
  std::vector<AcceptedRows> parts;
  std::vector<Violation> violations = {};
};

/// One consistent set of accepted outputs.
struct Answer {
  std::string program = {};  ///< name of the variant: "split-K 2"; empty if there is only one answer
  std::vector<Part> parts = {};
  int64_t steps = 0;  ///< rows of work; a step produces at most one row of each part
  /// Accepted codes of the steps [first, end). May be called from several threads at once.
  std::function<AcceptedBlock(int64_t first, int64_t end)> accepted = {};
  /// May be empty. As `accepted`, for some columns of the only part; worthwhile if the cost of a row is proportional to its
  /// elements.
  std::function<AcceptedBlock(int64_t first, int64_t end, int64_t first_column, int64_t end_column)> of_columns = {};
  /// May be empty. A cheap check whether a mutant shows at all: the first elements of row 0 of each part, as AcceptedRows with
  /// fewer columns or with none.
  std::function<AcceptedBlock()> glimpse = {};
  int64_t products = 1;  ///< multiply-accumulates per element (k), if they determine the cost
  bool ready = false;    ///< already computed: asking for fewer steps saves nothing

  int64_t elements() const;
};

/// The accepted answers of a contract. Outputs are right if one answer holds for all of them. Refers to the problem and the
/// outputs that it was made from; both must outlive it.
struct Expectation {
  std::vector<Answer> any_of;
  /// Rules between tensors, such as equal bits on all ranks. May be empty.
  std::function<std::vector<Violation>(const std::vector<HostTensor>& outputs)> together = {};

  /// The parts and their places in storage, for ops whose answers differ only in values.
  const std::vector<Part>& parts() const { return any_of.front().parts; }
};

/// A part with all of its accepted codes computed.
struct WholePart {
  Part part;
  std::vector<int32_t> low, high;  ///< as in AcceptedRows, for all rows

  Interval at(int64_t i) const { return {low[size_t(i)], high.empty() ? low[size_t(i)] : high[size_t(i)]}; }
  int64_t offset_at(int64_t i) const { return part.offset(i / part.columns(), i % part.columns()); }
};

/// Computes the whole answer at once, on all cores. For small tensors.
std::vector<WholePart> computed(const Answer& answer);
inline std::vector<WholePart> computed(const Expectation& expectation) { return computed(expectation.any_of.front()); }

/// Joins two answers over the same steps: the parts of `first`, then the parts of `second`. Violations keep their part labels.
Answer side_by_side(Answer first, Answer second);

/// An expectation with one answer that is already computed.
Expectation expectation_of(std::vector<WholePart> parts, std::vector<Violation> violations = {});

}  // namespace assay
