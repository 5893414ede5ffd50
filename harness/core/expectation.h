// The outputs that a case accepts: one or several consistent answers, computed block by block on request. Memory use does not
// grow with tensor sizes.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/tensor.h"
#include "reference/formats/format.h"

namespace assay {

/// Ordinals low..high, both included. An ordinal is a code's position in the order of values (reference/formats/format.h).
struct Interval {
  int32_t low = 0, high = 0;

  /// Accepts everything: the element is not checked, and the report counts it as unjudged.
  static constexpr Interval anything() { return {std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()}; }
  constexpr bool any() const { return *this == anything(); }
  constexpr bool single() const { return low == high; }

  /// Whether an element of that format may have the code with ordinal `o`. NaN has the ordinal kNanOrdinal, the largest; it is
  /// accepted only if low == kNanOrdinal. Integers have no NaN.
  constexpr bool holds(const Format& format, int32_t o) const {
    if (any()) return true;
    const bool is_nan = o == kNanOrdinal && !format.is_integer();
    return low <= o && o <= high && (!is_nan || low == kNanOrdinal);
  }
  constexpr bool meets(Interval other) const { return low <= other.high && other.low <= high; }  ///< whether they overlap
  constexpr bool operator==(const Interval&) const = default;
};

enum class PaddingRule {
  kZero,       ///< must be zero
  kUntouched,  ///< must keep the value from before the call
  kFree        ///< any value is accepted
};

struct Padding {
  int64_t offset;             ///< storage offset, in elements of the part's format
  std::array<int64_t, 2> at;  ///< row and column beyond the part's shape
  PaddingRule rule;
};

/// The places of a part's elements in the storage of its tensor. Offsets count elements of the part's format from the tensor's
/// first byte. The default is dense and row-major.
class Places {
 public:
  using OfRow = std::function<int64_t(int64_t row)>;
  using OfElement = std::function<int64_t(int64_t row, int64_t column)>;

  Places() = default;
  /// Rows of consecutive elements; `first` returns the offset of each row's first element.
  static Places of_rows(OfRow first) { return Places(std::move(first), nullptr); }
  static Places of_elements(OfElement at) { return Places(nullptr, std::move(at)); }

  bool rows_are_runs() const { return !element_; }  ///< the elements of each row are consecutive
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

/// One output tensor, or a part of it whose elements have one format, as a matrix of elements.
struct Part {
  std::string tensor;                 ///< role of the tensor
  const Format* format;               ///< format of one element; e8m0 for packed scales although the tensor is int32
  std::array<int64_t, 2> shape;       ///< rows and columns
  std::string justification = {};     ///< why elements accept several codes: "rsqrt~2 61 %, tree 39 %"
  std::string name = {};              ///< name of the part: "codes"; empty if the tensor has one part
  Places places = {};
  std::function<void(const std::function<void(const Padding&)>& visit)> padding = {};  ///< visits each padding element
  std::function<int64_t(int64_t row)> row_number = {};  ///< row number to print in reports, such as the token; empty: rows count
                                                        ///< from 0
  int64_t steps_per_row = 1;  ///< row r is produced in step r * steps_per_row of the answer (Answer::steps)
  int rank = 0;               ///< rank that owns the tensor

  /// Label in reports: "kv_cache.codes".
  std::string label() const { return name.empty() ? tensor : tensor + "." + name; }
  int64_t rows() const { return shape[0]; }
  int64_t columns() const { return shape[1]; }
  int64_t elements() const { return shape[0] * shape[1]; }
  int64_t offset(int64_t row, int64_t column) const { return places.of(row, column, shape[1]); }
  int64_t number_of(int64_t row) const { return row_number ? row_number(row) : row; }

  /// The rows [first, second) that the steps [first, end) produce.
  std::pair<int64_t, int64_t> rows_of_steps(int64_t first, int64_t end) const;
};

/// Accepted codes of consecutive rows of one part, in row-major order.
struct AcceptedRows {
  int64_t first = 0, end = 0;  ///< rows [first, end)
  std::vector<int32_t> low;    ///< lowest accepted ordinals
  std::vector<int32_t> high;   ///< highest accepted ordinals; empty if every element accepts one code

  Interval at(size_t i) const { return {low[i], high.empty() ? low[i] : high[i]}; }
};

/// The place of a violation: an element of a part, or a whole row.
struct Place {
  static constexpr int64_t kWholeRow = -1;
  std::string part;  ///< label of the part
  int64_t row = 0, column = kWholeRow;
};

/// A violation: several elements contradict each other, although each may be accepted alone. Examples: no single factor r of a
/// norm explains a whole row; two ranks whose outputs must be equal have different bits.
struct Violation {
  std::string rule;   ///< the rule, without numbers: "one r for a row"
  std::string words;  ///< what was found: "row 3: no single r explains ..."
  int64_t step = 0;   ///< step of the answer that has the elements; 0 for a violation between tensors
  std::vector<Place> places = {};
};

/// The accepted codes of a block of steps, part by part, and the violations found in the block.
struct AcceptedBlock {
  std::vector<AcceptedRows> parts;
  std::vector<Violation> violations = {};
};

/// The accepted codes of all outputs under one algorithm variant. Outputs are wrong if no single answer accepts all of them.
struct Answer {
  std::string program = {};  ///< name of the algorithm variant: "split-K 2"; empty if there is only one answer
  std::vector<Part> parts = {};
  int64_t steps = 0;  ///< number of steps; a step is a unit of work that produces at most one row of each part
  /// Accepted codes of the steps [first, end). May be called from several threads at once.
  std::function<AcceptedBlock(int64_t first, int64_t end)> accepted = {};
  /// Like `accepted`, but only for some columns of an answer with one part. Empty unless fewer columns cost less time, as in a
  /// GEMM.
  std::function<AcceptedBlock(int64_t first, int64_t end, int64_t first_column, int64_t end_column)> of_columns = {};
  /// Like `of_columns`, for outputs with the ordinals `seen`, row by row. An interval that contains its ordinal may be narrower
  /// than that of `of_columns`. This suffices to count wrong elements. Empty unless it saves time, as if many variants may
  /// explain an element and the first often does.
  std::function<AcceptedBlock(int64_t first, int64_t end, int64_t first_column, int64_t end_column,
                              std::span<const int32_t> seen)>
      enough_for = {};
  /// Returns the first elements of row 0 of each part, perhaps none, as AcceptedRows with fewer columns. They show at low cost
  /// that a mutant changes something. May be empty.
  std::function<AcceptedBlock()> glimpse = {};
  int64_t products = 1;  ///< cost of one element in multiply-accumulates: k for a GEMM
  bool ready = false;    ///< all accepted codes are already computed, so computing only some steps saves no time

  int64_t elements() const;
};

/// The accepted answers of a contract. Outputs are right if one of the answers accepts all of them. Refers to the problem and the
/// outputs that it was made from; both must outlive it.
struct Expectation {
  std::vector<Answer> any_of;
  /// Checks rules between tensors, such as equal bits on all ranks. May be empty.
  std::function<std::vector<Violation>(const std::vector<HostTensor>& outputs)> together = {};

  /// The parts of the first answer, for ops whose answers differ only in the accepted codes.
  const std::vector<Part>& parts() const { return any_of.front().parts; }
};

/// A part with all of its accepted codes computed.
struct WholePart {
  Part part;
  std::vector<int32_t> low, high;  ///< like those of AcceptedRows, but for all rows

  Interval at(int64_t i) const { return {low[size_t(i)], high.empty() ? low[size_t(i)] : high[size_t(i)]}; }
  int64_t offset_at(int64_t i) const { return part.offset(i / part.columns(), i % part.columns()); }
};

/// Computes the whole answer at once, on all cores. For small tensors.
std::vector<WholePart> computed(const Answer& answer);
inline std::vector<WholePart> computed(const Expectation& expectation) { return computed(expectation.any_of.front()); }

/// One answer with the parts of `first` and then those of `second`, which has the same steps. Violations keep their part labels.
Answer side_by_side(Answer first, Answer second);

/// An expectation with one answer that is already computed.
Expectation expectation_of(std::vector<WholePart> parts, std::vector<Violation> violations = {});

/// Finds the tensor by role and rank. Throws std::out_of_range.
inline const HostTensor& tensor_of(const std::vector<HostTensor>& tensors, const Part& part) {
  for (const HostTensor& tensor : tensors)
    if (tensor.spec.name == part.tensor && tensor.spec.rank == part.rank) return tensor;
  if (part.rank == 0) return find(tensors, part.tensor);  // throws an error that lists the tensors
  throw std::out_of_range("no tensor '" + part.tensor + "' of rank " + std::to_string(part.rank));
}

// An answer computed block by block: a block fits in a cache, blocks run on all cores, and memory does not grow with the tensor.

/// Steps [first, end) of an answer (Answer::steps).
struct StepRange {
  int64_t first = 0, end = 0;
  bool operator==(const StepRange&) const = default;
};

/// All steps of an answer, in ranges. A range has one step, or several with at most 2^15 elements or, for a GEMM, 128 rows.
std::vector<StepRange> block_ranges(const Answer& answer);

/// Runs f(i) for i in [0, count) on the shared thread pool. While it waits, it runs no unrelated task, so the caller may hold a
/// lock. Rethrows an exception of f.
void for_each_in_parallel(int64_t count, const std::function<void(int64_t)>& f);

/// Calls f(index of the range, block) for each range, concurrently from several threads.
void for_each_block(const Answer& answer, const std::vector<StepRange>& ranges,
                    const std::function<void(size_t, const AcceptedBlock&)>& f);

/// Like for_each_block(), but calls f in the order of the ranges while later blocks are being computed.
void for_each_block_in_order(const Answer& answer, const std::vector<StepRange>& ranges,
                             const std::function<void(const AcceptedBlock&)>& f);

// The sample of a large answer that the diagnosis examines in detail: steps with and without a failure, and columns, spread over
// the whole answer.

/// The chosen steps and columns of an answer. For small tensors: all of them.
struct Sample {
  std::vector<StepRange> steps;             ///< ascending, disjoint
  int64_t failing = 0, good = 0, of = 0;    ///< number of chosen steps with and without a failure; `of`: number of all steps
  std::vector<StepRange> columns = {};      ///< ascending, disjoint; empty: all
  int64_t of_columns = 0;                   ///< number of columns of the answer, if only some are chosen

  bool is_everything() const { return failing + good == of && columns.empty(); }
  /// Number of chosen columns, or `all`.
  int64_t columns_chosen(int64_t all) const;
  /// "looked at 64 of 65536 rows: 32 that fail, 32 that do not; in each row 128 of 4096 columns"; empty for all of them.
  std::string words() const;
};

/// Steps and columns of a sample that are computed at once; `columns` [0, 0): all columns.
struct SampleBlock {
  StepRange steps, columns{};

  bool has_all_columns() const { return columns.end == 0; }
};

/// Divides a sample into blocks, ordered by steps and then by columns. For the complete sample these are block_ranges().
std::vector<SampleBlock> blocks_of(const Sample& sample, const Answer& answer);

/// The codes that an answer accepts in a block. Each part has the columns of the block, or all of its own columns. Throws
/// std::logic_error if the block has columns but the answer has no `of_columns`.
AcceptedBlock accepted_in(const SampleBlock& block, const Answer& answer);

/// Calls f(row, column, interval) for the elements of a part in a block, row by row.
template <class F>
void for_each_element(const SampleBlock& block, const Part& part, const AcceptedRows& rows, F f) {
  const int64_t first = block.columns.first, end = block.has_all_columns() ? part.columns() : block.columns.end;
  for (int64_t row = rows.first; row < rows.end; ++row)
    for (int64_t column = first; column < end; ++column)
      f(row, column, rows.at(size_t((row - rows.first) * (end - first) + column - first)));
}

/// The complete sample.
Sample all_steps(const Answer& answer);

/// Collects a sample while steps are checked in order. Divides the steps into 64 ranges and keeps the first failing and the first
/// good step of each. Divides the columns into 64 ranges and keeps the first failing element of each.
class SampleKeeper {
 public:
  static constexpr int64_t kNone = -1, kParts = 64;

  /// `columns`: if columns may be chosen, the number of columns of the answer's only part; otherwise 0.
  SampleKeeper(int64_t steps, int64_t columns);

  /// `wrong`: the columns in which the step fails; {kNone} if it fails as a whole; empty for a good step.
  void add(int64_t step, const std::vector<int64_t>& wrong);
  void merge(const SampleKeeper& later);

  /// The complete sample if the answer has few elements. Otherwise as many of the kept steps as the limit allows, at most half of
  /// them failing. If columns may be chosen, the sample also has some columns with a failure and some without.
  Sample chosen(const Answer& answer) const;

 private:
  struct Place {
    int64_t step = kNone, column = kNone;
  };
  using Places = std::array<Place, kParts>;

  static std::vector<Place> thinned(const Places& places, int64_t most);
  Sample of_columns(const Answer& answer) const;

  int64_t steps_, columns_;
  Places failing_{}, good_{};  ///< the first failing and the first good step of each range of steps
  Places failing_columns_{};   ///< the first failing element of each range of columns
};

}  // namespace assay
