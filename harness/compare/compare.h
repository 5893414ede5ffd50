// Comparison of outputs with an expectation. It sees only codes and their ordinals, no op or back end.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/expectation.h"
#include "harness/core/tensor.h"

namespace assay {

/// How outputs differ from the closest answer.
struct Finding {
  std::string program;               ///< name of that answer
  std::vector<TensorFinding> parts;  ///< findings for each part of that answer
  std::vector<Violation> violations; ///< the first few: those within a step (Answer::steps) in order, then those between tensors
  int64_t all_violations = 0;
  Sample sample;                     ///< the steps and columns that the diagnosis should examine

  static constexpr size_t kMostViolations = 64;
  bool agrees() const;
};

/// Compares all elements and padding with each answer, block by block on all cores, until one answer agrees. For large tensors, a
/// sample decides which answers after the first are compared. If none agrees, the finding describes the compared answer with the
/// fewest wrong elements. A part gets a Picture if it has elements outside their intervals, or elements with a violation.
///
/// An element is right if its interval contains its ordinal. NaN is right only where the interval is NaN. -0 and +0 are different
/// codes. An element with the interval Interval::anything() counts as right, and as unjudged. `untouched` lists, for each tensor,
/// the bytes that the call did not write, ascending; it matters only for padding with kUntouched. Throws std::logic_error if the
/// expectation does not fit the tensors: a missing tensor, a wrong number of intervals, an offset outside the storage.
Finding compare(const Expectation& expectation, const std::vector<HostTensor>& tensors,
                const std::vector<std::vector<ByteRange>>& untouched);

/// Like compare(), but the finding only says how many elements are wrong: it has no worst elements and no pictures, and its
/// sample means nothing. For an answer with `enough_for`, which takes a fraction of the time then.
Finding count_wrong(const Expectation& expectation, const std::vector<HostTensor>& tensors,
                    const std::vector<std::vector<ByteRange>>& untouched);

/// The number of wrong elements in a block of steps and columns. Only for an answer with `enough_for`.
int64_t count_wrong_in(const SampleBlock& block, const Answer& answer, const std::vector<HostTensor>& tensors);

/// The logical elements with an unwritten byte; of int32, those with all bytes unwritten. `first`: row and column of the first.
struct Unwritten {
  int64_t elements = 0;
  std::array<int64_t, 2> first{};
  std::set<int64_t> rows = {}, columns = {};

  /// ": rows 4..7 of 8, columns 1, 3". Rows are left out if every row has such an element, and columns if every column has one.
  std::string places(const Part& part) const;
};
Unwritten unwritten_elements(const Part& part, const TensorSpec& spec, const std::vector<ByteRange>& untouched);

}  // namespace assay
