// Selects elements of D, and how sums of their products are evaluated.
#pragma once

#include <cstddef>
#include <cstdint>

namespace assay {

/// Sums of a unit: its exact bits, or all values possible if its truncations are unknown (units/replay.h).
enum class DotSums { kBits, kReplayed };

/// Rows and columns of D.
struct DotBlock {
  int64_t first = 0, end = 0;  ///< rows
  int64_t first_column = 0, end_column = 0;

  int64_t rows() const { return end - first; }
  int64_t columns() const { return end_column - first_column; }
  size_t size() const { return size_t(rows() * columns()); }
  int64_t row_of(size_t i) const { return first + int64_t(i) / columns(); }
  int64_t column_of(size_t i) const { return first_column + int64_t(i) % columns(); }
  bool operator==(const DotBlock&) const = default;
};

}  // namespace assay
