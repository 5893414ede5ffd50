// Records, step by step, how the evaluation of a row computed one of its numbers. It is a listener, so it sees the numbers that
// were judged.
#pragma once

#include <string>
#include <vector>

#include "reference/flow/listener.h"

namespace assay {

struct TracedStep {
  std::string text;  ///< the step as written in the table
  Span result;
};

/// A cell, or an input quantity, which has no steps.
struct TracedCell {
  std::string name;
  bool made = false;  ///< computed by a cell
  Span from;
  std::vector<TracedStep> steps;
  Span result() const { return steps.empty() ? from : steps.back().result; }
};

class Trace : public RowListener {
 public:
  /// Records the numbers of this column of the row.
  explicit Trace(size_t column) : column_(column) {}

  const std::vector<TracedCell>& cells() const { return cells_; }
  /// The last recorded cell of that name, or null.
  const TracedCell* find(const std::string& name) const;

  void quantity(const std::string& name, const Spans& numbers, const CellPlaces& places) override;
  void cell(const std::string& name, const Spans& from, const CellPlaces& places) override;
  void step(const Step& step, const RowPart& after) override;

 private:
  size_t column_;
  std::optional<size_t> at_;  ///< index of the number in the running cell
  std::vector<TracedCell> cells_;
};

}  // namespace assay
