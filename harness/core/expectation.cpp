#include "harness/core/expectation.h"

#include <oneapi/tbb/parallel_pipeline.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <set>
#include <stdexcept>

#include "reference/table/parallel_loop.h"

namespace assay {

// The outputs that a case accepts: one or several consistent answers, computed block by block on request.

std::pair<int64_t, int64_t> Part::rows_of_steps(int64_t first, int64_t end) const {
  const auto row = [&](int64_t step) { return std::min(shape[0], (step + steps_per_row - 1) / steps_per_row); };
  return {row(first), row(end)};
}

int64_t Answer::elements() const {
  int64_t sum = 0;
  for (const Part& part : parts) sum += part.elements();
  return sum;
}

std::vector<WholePart> computed(const Answer& answer) {
  std::vector<WholePart> whole;
  for (const Part& part : answer.parts) whole.push_back({part, std::vector<int32_t>(size_t(part.elements())), {}});
  for (WholePart& part : whole) part.high.resize(part.low.size());
  for_each_block(answer, block_ranges(answer), [&](size_t, const AcceptedBlock& block) {
    for (size_t p = 0; p < whole.size(); ++p) {
      const AcceptedRows& rows = block.parts[p];
      const auto at = std::ptrdiff_t(rows.first * whole[p].part.columns());
      std::copy(rows.low.begin(), rows.low.end(), whole[p].low.begin() + at);
      const std::vector<int32_t>& high = rows.high.empty() ? rows.low : rows.high;
      std::copy(high.begin(), high.end(), whole[p].high.begin() + at);
    }
  });
  for (WholePart& part : whole)
    if (part.low == part.high) part.high.clear();
  return whole;
}

Answer side_by_side(Answer first, Answer second) {
  Answer all = first;
  all.parts.insert(all.parts.end(), second.parts.begin(), second.parts.end());
  all.steps = std::max(first.steps, second.steps);
  const auto joined = [](AcceptedBlock block, AcceptedBlock more) {
    std::move(more.parts.begin(), more.parts.end(), std::back_inserter(block.parts));
    std::move(more.violations.begin(), more.violations.end(), std::back_inserter(block.violations));
    return block;
  };
  all.of_columns = nullptr;
  all.enough_for = nullptr;
  all.glimpse = nullptr;
  if (first.glimpse && second.glimpse)
    all.glimpse = [joined, first = first.glimpse, second = second.glimpse] { return joined(first(), second()); };
  all.accepted = [joined, first = std::move(first), second = std::move(second)](int64_t begin, int64_t end) {
    const auto of = [&](const Answer& answer) {
      return answer.accepted(std::min(begin, answer.steps), std::min(end, answer.steps));
    };
    return joined(of(first), of(second));
  };
  return all;
}

Expectation expectation_of(std::vector<WholePart> parts, std::vector<Violation> violations) {
  struct Known {
    std::vector<WholePart> parts;
    std::vector<Violation> violations;
  };
  Answer answer;
  answer.ready = true;
  for (const WholePart& whole : parts) {
    answer.parts.push_back(whole.part);
    answer.steps = std::max(answer.steps, whole.part.rows() * whole.part.steps_per_row);
  }
  answer.accepted = [known = std::make_shared<const Known>(Known{std::move(parts), std::move(violations)})](int64_t first,
                                                                                                            int64_t end) {
    AcceptedBlock block;
    for (const WholePart& whole : known->parts) {
      const auto [begin, behind] = whole.part.rows_of_steps(first, end);
      const auto slice = [&, begin = begin, behind = behind](const std::vector<int32_t>& all) {
        const int64_t columns = whole.part.columns();
        return all.empty() ? all
                           : std::vector<int32_t>(all.begin() + std::ptrdiff_t(begin * columns),
                                                  all.begin() + std::ptrdiff_t(behind * columns));
      };
      block.parts.push_back({begin, behind, slice(whole.low), slice(whole.high)});
    }
    for (const Violation& violation : known->violations)
      if (first <= violation.step && violation.step < end) block.violations.push_back(violation);
    return block;
  };
  return {{std::move(answer)}};
}

namespace {

// An answer computed block by block: a block fits in a cache, blocks run on all cores, and memory does not grow with the tensor.

constexpr int64_t kElementsPerBlock = 1 << 15;
/// GEMMs have this many rows per block, so that the decoded B operand is reused, or fewer if there would be less than
/// kBlocksOfProducts blocks.
constexpr int64_t kRowsOfProducts = 128, kBlocksOfProducts = 32;
constexpr size_t kBlocksInFlight = 16;

}  // namespace

std::vector<StepRange> block_ranges(const Answer& answer) {
  std::vector<StepRange> ranges;
  if (answer.steps == 0) return ranges;
  const int64_t elements_per_step = std::max<int64_t>(1, answer.elements() / answer.steps);
  const int64_t shared = answer.products > 1 ? std::min(kRowsOfProducts, answer.steps / kBlocksOfProducts) : 1;
  const int64_t steps = std::max({int64_t{1}, shared, kElementsPerBlock / elements_per_step});
  for (int64_t first = 0; first < answer.steps; first += steps) ranges.push_back({first, std::min(answer.steps, first + steps)});
  return ranges;
}

void for_each_in_parallel(int64_t count, const std::function<void(int64_t)>& f) {
  if (count == 1) return f(0);
  parallel_loop(count, f);
}

void for_each_block(const Answer& answer, const std::vector<StepRange>& ranges,
                    const std::function<void(size_t, const AcceptedBlock&)>& f) {
  for_each_in_parallel(int64_t(ranges.size()),
                       [&](int64_t i) { f(size_t(i), answer.accepted(ranges[size_t(i)].first, ranges[size_t(i)].end)); });
}

void for_each_block_in_order(const Answer& answer, const std::vector<StepRange>& ranges,
                             const std::function<void(const AcceptedBlock&)>& f) {
#ifdef __SANITIZE_THREAD__  // ThreadSanitizer does not see oneTBB's synchronization between threads (parallel_loop.h)
  for (const StepRange& range : ranges) f(answer.accepted(range.first, range.end));
#else
  using oneapi::tbb::filter_mode;
  oneapi::tbb::this_task_arena::isolate([&] {
    size_t next = 0;
    const auto source =
        oneapi::tbb::make_filter<void, size_t>(filter_mode::serial_in_order, [&](oneapi::tbb::flow_control& control) {
          if (next == ranges.size()) control.stop();
          return next == ranges.size() ? next : next++;
        });
    const auto compute = oneapi::tbb::make_filter<size_t, AcceptedBlock>(
        filter_mode::parallel, [&](size_t i) { return answer.accepted(ranges[i].first, ranges[i].end); });
    const auto consume = oneapi::tbb::make_filter<AcceptedBlock, void>(filter_mode::serial_in_order,
                                                                       [&](const AcceptedBlock& block) { f(block); });
    oneapi::tbb::parallel_pipeline(kBlocksInFlight, source & compute & consume);
  });
#endif
}

namespace {

/// The diagnosis examines an answer with at most this many elements as a whole.
constexpr int64_t kFewElements = int64_t{1} << 22;
/// Number of sampled elements of a larger answer. About forty mutants are evaluated on the sample.
constexpr int64_t kSampledElements = int64_t{1} << 20;
/// For GEMMs, the same two limits in multiply-accumulates. Computing a sample takes half a second per mutant on one core.
constexpr int64_t kFewProducts = int64_t{1} << 27, kSampledProducts = int64_t{1} << 26;
/// Columns are chosen in groups of kGroup, as many as one SIMD vector holds; the number of groups is between these limits.
constexpr int64_t kGroup = 16, kLeastGroups = 4, kMostGroups = 16;
/// The limit for samples of which only some columns are computed. A multiply-accumulate then costs four times as much as in whole
/// rows, because each group of columns needs sums of its own.
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
  return rows + "; in each row " + std::to_string(columns_chosen(of_columns)) + " of " + std::to_string(of_columns) + " columns";
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
  if (!answer.of_columns) throw std::logic_error("cannot select columns: this answer has whole rows only");
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

/// At most `most`, but at least one, of the places that are set; evenly spread.
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

/// Chooses rows, and groups of kGroup columns. Up to half of the groups contain a failing column; a row in which that column
/// fails is chosen with it. Groups with the first wrong element of another row follow, until three quarters are filled. The rest
/// is spread evenly.
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
