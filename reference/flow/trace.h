// What the evaluation of a row made of one of its numbers, step by step: a listener, so these are the numbers that were judged.
#pragma once

#include <string>
#include <vector>

#include "reference/flow/listener.h"

namespace assay {

struct TracedStep {
  std::string text;  ///< the step as written
  Span result;
};

/// A cell, or a quantity that no cell made; it has no steps then.
struct TracedCell {
  std::string name;
  bool made = false;  ///< by a cell
  Span from;
  std::vector<TracedStep> steps;
  Span result() const { return steps.empty() ? from : steps.back().result; }
};

class Trace : public RowListener {
 public:
  /// Listens to what is made of this column of the row.
  explicit Trace(size_t column) : column_(column) {}

  const std::vector<TracedCell>& cells() const { return cells_; }
  /// The last cell of that name, or null.
  const TracedCell* find(const std::string& name) const;

  void quantity(const std::string& name, const Spans& numbers, const CellPlaces& places) override;
  void cell(const std::string& name, const Spans& from, const CellPlaces& places) override;
  void step(const Step& step, const RowPart& after) override;

 private:
  size_t column_;
  std::optional<size_t> at_;  ///< the number of the cell that is running
  std::vector<TracedCell> cells_;
};

}  // namespace assay
