#include "harness/core/sample.h"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace assay {
namespace {

/// An answer with at most this many elements is examined as a whole.
constexpr int64_t kFewElements = int64_t{1} << 22;
/// Sample size for a larger answer. About forty hypotheses are evaluated on the sample.
constexpr int64_t kSampledElements = int64_t{1} << 20;
/// The same limits for GEMMs, in multiply-accumulates: half a second per hypothesis on one core.
constexpr int64_t kFewProducts = int64_t{1} << 27, kSampledProducts = int64_t{1} << 26;
/// Columns are chosen in groups of one vector; the number of groups is between these limits.
constexpr int64_t kGroup = 16, kLeastGroups = 4, kMostGroups = 16;
/// Limit when only some columns are computed: these multiply-accumulates cost four times those of whole rows, since the sums
/// begin anew for each group.
constexpr int64_t kProductsOfColumns = kSampledProducts / 4;

void add_step(std::set<int64_t>& steps, int64_t step) {
  if (step != SampleKeeper::kNone) steps.insert(step);
}

std::vector<StepRange> one_by_one(const std::set<int64_t>& numbers, int64_t width, int64_t end) {
  std::vector<StepRange> ranges;
  for (const int64_t number : numbers) ranges.push_back({number * width, std::min((number + 1) * width, end)});
  return ranges;
}

}  // namespace

int64_t Sample::columns_chosen(int64_t all) const {
  int64_t chosen = 0;
  for (const StepRange& range : columns) chosen += range.end - range.first;
  return columns.empty() ? all : chosen;
}

std::string Sample::words() const {
  if (is_everything()) return "";
  const std::string rows = "looked at " + std::to_string(failing + good) + " of " + std::to_string(of) +
                           " rows: " + std::to_string(failing) + " that fail, " + std::to_string(good) + " that do not";
  if (columns.empty()) return rows;
  return rows + "; of each " + std::to_string(columns_chosen(of_columns)) + " of " + std::to_string(of_columns) + " columns";
}

std::vector<SampleBlock> blocks_of(const Sample& sample, const Answer& answer) {
  std::vector<SampleBlock> blocks;
  for (const StepRange& steps : sample.is_everything() ? block_ranges(answer) : sample.steps) {
    if (sample.columns.empty()) blocks.push_back({steps});
    for (const StepRange& columns : sample.columns) blocks.push_back({steps, columns});
  }
  return blocks;
}

AcceptedBlock accepted_in(const SampleBlock& block, const Answer& answer) {
  if (block.has_all_columns()) return answer.accepted(block.steps.first, block.steps.end);
  if (!answer.of_columns) throw std::logic_error("columns of an answer that has whole rows alone");
  return answer.of_columns(block.steps.first, block.steps.end, block.columns.first, block.columns.end);
}

Sample all_steps(const Answer& answer) { return {{{0, answer.steps}}, 0, answer.steps, answer.steps}; }

SampleKeeper::SampleKeeper(int64_t steps, int64_t columns) : steps_(steps), columns_(columns) {}

void SampleKeeper::add(int64_t step, const std::vector<int64_t>& wrong) {
  Place& first = (wrong.empty() ? good_ : failing_)[size_t(step * kParts / steps_)];
  if (first.step == kNone) first = {step, wrong.empty() ? kNone : wrong.front()};
  for (const int64_t column : wrong) {
    if (column == kNone || columns_ == 0) continue;
    Place& place = failing_columns_[size_t(column * kParts / columns_)];
    if (place.step == kNone) place = {step, column};
  }
}

void SampleKeeper::merge(const SampleKeeper& later) {
  for (const auto& [mine, others] : {std::pair(&failing_, &later.failing_), std::pair(&good_, &later.good_),
                                     std::pair(&failing_columns_, &later.failing_columns_)})
    for (size_t i = 0; i < mine->size(); ++i)
      if ((*mine)[i].step == kNone) (*mine)[i] = (*others)[i];
}

/// At most `most` of the places, evenly spread; at least one.
std::vector<SampleKeeper::Place> SampleKeeper::thinned(const Places& places, int64_t most) {
  std::vector<Place> there;
  for (const Place& place : places)
    if (place.step != kNone) there.push_back(place);
  const auto count = int64_t(there.size());
  const int64_t kept = std::min(count, std::max<int64_t>(1, most));
  std::vector<Place> chosen;
  for (int64_t i = 0; i < kept; ++i) chosen.push_back(there[size_t(i * count / kept)]);
  return chosen;
}

/// Half of the columns contain a failure, each together with a row in which it fails. A quarter are other columns of failing
/// rows. The rest are spread evenly.
Sample SampleKeeper::of_columns(const Answer& answer) const {
  const int64_t elements = kProductsOfColumns / answer.products, of_groups = (columns_ + kGroup - 1) / kGroup;
  const int64_t groups = std::min(of_groups, std::clamp(elements / kParts / kGroup, kLeastGroups, kMostGroups));
  const int64_t rows = std::clamp<int64_t>(elements / groups / kGroup, 2, kParts);
  std::set<int64_t> failing, good, columns;
  for (const Place& place : thinned(good_, rows / 2)) add_step(good, place.step);
  for (const Place& place : thinned(failing_columns_, std::min(groups / 2, rows / 2)))
    add_step(failing, place.step), columns.insert(place.column / kGroup);
  for (const Place& place : thinned(failing_, rows - int64_t(good.size() + failing.size()))) {
    add_step(failing, place.step);
    if (place.column != kNone && int64_t(columns.size()) < groups * 3 / 4) columns.insert(place.column / kGroup);
  }
  for (int64_t i = 0; int64_t(columns.size()) < groups; ++i) columns.insert((i * of_groups / groups + i / groups) % of_groups);
  std::set<int64_t> steps = failing;
  steps.insert(good.begin(), good.end());
  return {one_by_one(steps, 1, answer.steps),
          int64_t(failing.size()),
          int64_t(good.size()),
          answer.steps,
          one_by_one(columns, kGroup, columns_),
          columns_};
}

Sample SampleKeeper::chosen(const Answer& answer) const {
  const bool few = answer.elements() <= kFewElements && answer.elements() <= kFewProducts / answer.products;
  if (few || answer.steps <= 1) return all_steps(answer);
  if (answer.of_columns && columns_ > kLeastGroups * kGroup) return of_columns(answer);
  const int64_t elements = std::min(kSampledElements, kSampledProducts / answer.products);
  const int64_t room = elements / std::max<int64_t>(1, answer.elements() / answer.steps);
  std::set<int64_t> failing, good;
  for (const Place& place : thinned(failing_, room / 2)) add_step(failing, place.step);
  for (const Place& place : thinned(good_, room / 2)) add_step(good, place.step);
  std::set<int64_t> steps = failing;
  steps.insert(good.begin(), good.end());
  return {one_by_one(steps, 1, answer.steps), int64_t(failing.size()), int64_t(good.size()), answer.steps};
}

}  // namespace assay
