#include "reference/flow/trace.h"

namespace assay {

const TracedCell* Trace::find(const std::string& name) const {
  const TracedCell* found = nullptr;
  for (const TracedCell& cell : cells_)
    if (cell.name == name) found = &cell;
  return found;
}

void Trace::quantity(const std::string& name, const Spans& numbers, const CellPlaces& places) {
  at_ = {};
  if (const std::optional<size_t> at = places(column_); at && *at < numbers.size())
    cells_.push_back({name, false, numbers[*at], {}});
}

void Trace::cell(const std::string& name, const Spans& from, const CellPlaces& places) {
  at_ = places(column_);
  if (at_ && *at_ >= from.size()) at_ = {};
  if (at_) cells_.push_back({name, true, from[*at_], {}});
}

void Trace::step(const Step& step, const RowPart& after) {
  if (at_ && *at_ >= after.first && *at_ < after.first + after.size)
    cells_.back().steps.push_back({step.text, after[*at_ - after.first]});
}

}  // namespace assay
