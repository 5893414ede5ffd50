// What a tensor may hold: for each element an interval of codes, and for padding a rule.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "reference/formats/format.h"

namespace assay {

/// Elements whose accepted set is everything: counted as unjudged, and named in the report.
inline constexpr int32_t kAnyLow = std::numeric_limits<int32_t>::min();

enum class PaddingRule {
  kZero,       ///< must be written as zero
  kUntouched,  ///< must still hold what was there before the call
  kFree        ///< says nothing
};

struct Padding {
  int64_t offset;             ///< in storage, elements of the expected format
  std::array<int64_t, 2> at;  ///< logical row and column, beyond the tensor's own
  PaddingRule rule;
};

/// Accepted codes of one output tensor, or of one part of it, element by element in logical row-major order. The parts of a tensor
/// may have formats of their own: offsets count elements of that format from the tensor's first byte.
struct ExpectedTensor {
  std::string name;              ///< role of the tensor it judges
  const Format* format;          ///< format of one logical element; for packed scales e8m0, though the tensor is int32
  std::array<int64_t, 2> shape;  ///< logical rows and columns
  std::vector<int32_t> low;      ///< lowest accepted ordinal
  std::vector<int32_t> high;     ///< highest accepted ordinal; empty when every element has one code
  std::vector<int64_t> offset;   ///< storage offset of each element in units of `format`; empty: dense row-major
  std::vector<Padding> padding;
  std::string reason;  ///< by which right: "pinned: one code", "rsqrt~2 61 %, tree 39 %"
  std::string part = {};  ///< of a tensor that several of these judge: what its bytes are; empty: the only one
  std::vector<int64_t> row_numbers = {};  ///< what reports call the rows, such as tokens; empty: counted from 0

  /// What reports call it: "kv_cache.codes".
  std::string label() const { return part.empty() ? name : name + "." + part; }
  int64_t row_number(int64_t row) const { return row_numbers.empty() ? row : row_numbers[size_t(row)]; }

  int64_t elements() const { return shape[0] * shape[1]; }
  int32_t high_at(int64_t i) const { return high.empty() ? low[size_t(i)] : high[size_t(i)]; }
  int64_t offset_at(int64_t i) const { return offset.empty() ? i : offset[size_t(i)]; }
};

}  // namespace assay
