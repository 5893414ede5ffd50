// The numbers that a recipe processes.
#pragma once

#include "reference/recipe/span.h"

namespace assay {

/// A part of a row while a recipe runs over it. Its numbers are all pinned (no `high`), or intervals from the first step on.
struct RowPart {
  double *low, *high;
  size_t first, size;  ///< where it is in the row
  bool pinned() const { return high == nullptr; }
  Span operator[](size_t i) const { return {low[i], pinned() ? low[i] : high[i]}; }
  void set(size_t i, Span span) const {
    low[i] = span.low;
    if (!pinned()) high[i] = span.high;
  }
};

inline Spans copy_of(const RowPart& part) {
  Spans copy(std::vector<double>(part.low, part.low + part.size));
  if (!part.pinned()) copy.high.assign(part.high, part.high + part.size);
  return copy;
}

}  // namespace assay
