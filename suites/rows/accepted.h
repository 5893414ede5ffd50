// Converts the reference's intervals for one output to accepted codes.
#pragma once

#include <algorithm>
#include <span>
#include <tuple>
#include <vector>

#include "harness/core/expectation.h"
#include "reference/formats/round.h"
#include "reference/recipe/recipe.h"

namespace assay {

/// Collects the accepted codes of consecutive rows of one part, row by row.
class Accepted {
 public:
  Accepted(const Part& part, int64_t first_step, int64_t end_step) : format_(part.format), columns_(size_t(part.columns())) {
    std::tie(rows_.first, rows_.end) = part.rows_of_steps(first_step, end_step);
    rows_.low.resize(size_t(rows_.end - rows_.first) * columns_);
    rows_.high.resize(rows_.low.size());
  }

  bool holds(int64_t row) const { return rows_.first <= row && row < rows_.end; }

  void put(int64_t row, Spans spans) {
    std::vector<size_t> anything;
    for (size_t i = 0; !spans.pinned() && i < columns_; ++i)
      if (spans[i].any()) anything.push_back(i), spans.set(i, point(max_finite(*format_)));
    const size_t begin = size_t(row - rows_.first) * columns_;
    const std::span low(rows_.low.data() + begin, columns_), high(rows_.high.data() + begin, columns_);
    ordinals_of_values(*format_, spans.low, low);
    if (spans.pinned())
      std::copy(low.begin(), low.end(), high.begin());
    else
      ordinals_of_values(*format_, spans.high, high);
    for (const size_t i : anything) low[i] = Interval::anything().low, high[i] = Interval::anything().high;
  }

  AcceptedRows finish() && {
    if (rows_.low == rows_.high) rows_.high.clear();
    return std::move(rows_);
  }

 private:
  const Format* format_;
  size_t columns_;
  AcceptedRows rows_;
};

}  // namespace assay
