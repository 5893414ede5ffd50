#include "harness/compare/compare.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <stdexcept>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/expectation.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

// Comparison of one part of an answer with its tensor, block by block.

/// Add blocks in row order. Several objects may each compare a range of rows; merge them in the order of their ranges.
class PartComparison {
 public:
  /// Throws std::logic_error if a dense part does not fit the tensor.
  PartComparison(const Part& part, const HostTensor& tensor);

  /// For each row: columns with an element outside its interval. A SampleKeeper divides the columns into ranges, of which each
  /// gives one column at most.
  using WrongColumns = std::vector<std::vector<int64_t>>;

  /// Compares these rows; adds to wrong[row - rows.first].
  void add(const AcceptedRows& rows, WrongColumns& wrong);
  void add_joint(const Place& place);
  void merge(PartComparison&& later);

  const Part& part() const { return *part_; }
  const HostTensor& tensor() const { return *tensor_; }
  const std::array<int64_t, 2>& worst() const { return worst_; }
  TensorFinding finding;

 private:
  /// Loads the ordinals of consecutive storage elements.
  void load_ordinals(int64_t offset, std::span<int32_t> ordinals) const;
  void add_run(const AcceptedRows& rows, int64_t begin, int64_t count, int64_t first_offset, WrongColumns& wrong);
  void add_element(Interval accepted, int32_t o, int64_t row, int64_t column, int64_t offset, WrongColumns& wrong,
                   int64_t first_row);
  void add_outside(Interval accepted, uint32_t code, int64_t row, int64_t column);
  const Element& known_element(Interval accepted, uint32_t code);
  void check_offset(int64_t offset) const;
  int64_t part_of_columns(int64_t column) const { return column * SampleKeeper::kParts / part_->columns(); }
  [[noreturn]] void refuse(const std::string& what) const;

  const Part* part_;
  const HostTensor* tensor_;
  std::array<int64_t, 2> worst_{};

  /// Cache of wrong elements. It pays off, since a kernel that is wrong everywhere repeats a few thousand pairs of interval and
  /// code.
  struct Known {
    Interval accepted;
    Element element;
  };
  static constexpr size_t kMostKnown = 4096;
  std::vector<Known> known_;
};

constexpr int64_t kRun = 2048;  ///< number of elements that are decoded at once

/// Adds the counts of a later range of the same part.
void add_counts(const TensorFinding& later, TensorFinding& sum) {
  sum.outside += later.outside;
  sum.single_code += later.single_code;
  sum.unjudged += later.unjudged;
  sum.toward_zero += later.toward_zero;
  sum.away_from_zero += later.away_from_zero;
  sum.budget_use = std::max(sum.budget_use, later.budget_use);
}

PartComparison::PartComparison(const Part& part, const HostTensor& tensor) : part_(&part), tensor_(&tensor) {
  finding.name = part.label();
  finding.format = part.format->name;
  finding.shape = part.shape;
  finding.elements = part.elements();
  finding.reason = part.justification;
  if (part.places.dense() && part.elements() > 0) check_offset(part.elements() - 1);
}

void PartComparison::refuse(const std::string& what) const {
  throw std::logic_error("expectation of '" + part_->label() + "': " + what);
}

void PartComparison::check_offset(int64_t offset) const {
  const int64_t stored = stored_elements(*part_, *tensor_);
  if (offset < 0 || offset >= stored)
    refuse("offset " + std::to_string(offset) + " is outside the storage of " + std::to_string(stored));
}

void PartComparison::add(const AcceptedRows& rows, WrongColumns& wrong) {
  const int64_t columns = part_->columns(), count = (rows.end - rows.first) * columns;
  if (int64_t(rows.low.size()) != count) refuse("rows.low must hold one ordinal for each element");
  if (!rows.high.empty() && int64_t(rows.high.size()) != count)
    refuse("rows.high must be empty or hold one ordinal for each element");
  if (part_->places.dense()) return add_run(rows, 0, count, rows.first * columns, wrong);
  for (int64_t row = rows.first; row < rows.end && columns > 0; ++row) {
    const int64_t begin = (row - rows.first) * columns;
    if (part_->places.rows_are_runs()) {
      const int64_t first = part_->offset(row, 0);
      check_offset(first);
      check_offset(first + columns - 1);
      add_run(rows, begin, columns, first, wrong);
      continue;
    }
    for (int64_t column = 0; column < columns; ++column) {
      const int64_t offset = part_->offset(row, column);
      check_offset(offset);
      add_element(rows.at(size_t(begin + column)), ordinal(*part_->format, load_code(*part_, *tensor_, offset)), row, column,
                  offset, wrong, rows.first);
    }
  }
}

void PartComparison::load_ordinals(int64_t offset, std::span<int32_t> ordinals) const {
  if (!tensor_->spec.packed)
    return ordinals_of_codes(*part_->format, tensor_->bytes.data() + offset * part_->format->bytes(), ordinals);
  for (size_t i = 0; i < ordinals.size(); ++i) ordinals[i] = ordinal(*part_->format, tensor_->code(offset + int64_t(i)));
}

/// Compares kRun elements at a time, at memory bandwidth if each accepts one code. Examines single elements only if some of these
/// kRun differ.
void PartComparison::add_run(const AcceptedRows& rows, int64_t begin, int64_t count, int64_t first_offset, WrongColumns& wrong) {
  int32_t ordinals[kRun];
  const int64_t columns = part_->columns();
  for (int64_t done = 0; done < count; done += kRun) {
    const int64_t some = std::min(kRun, count - done);
    const int32_t* low = rows.low.data() + begin + done;
    load_ordinals(first_offset + done, {ordinals, size_t(some)});
    if (rows.high.empty() && all_equal(ordinals, low, some)) {
      finding.single_code += some;
      continue;
    }
    for (int64_t k = 0; k < some; ++k) {
      const int64_t i = begin + done + k;
      add_element(rows.at(size_t(i)), ordinals[k], rows.first + i / columns, i % columns, first_offset + done + k, wrong,
                  rows.first);
    }
  }
}

void PartComparison::add_element(Interval accepted, int32_t o, int64_t row, int64_t column, int64_t offset, WrongColumns& wrong,
                                 int64_t first_row) {
  if (accepted.single()) {
    ++finding.single_code;
  } else if (accepted.any()) {
    ++finding.unjudged;
  } else if (o != kNanOrdinal) {
    finding.budget_use = std::max(finding.budget_use, budget_use(accepted, o));
  }
  if (accepted.holds(*part_->format, o)) return;
  std::vector<int64_t>& of_row = wrong[size_t(row - first_row)];
  if (of_row.empty() || part_of_columns(of_row.back()) != part_of_columns(column)) of_row.push_back(column);
  add_outside(accepted, load_code(*part_, *tensor_, offset), row, column);
}

const Element& PartComparison::known_element(Interval accepted, uint32_t code) {
  const auto hash = (uint32_t(accepted.low) * 2654435761u) ^ (uint32_t(accepted.high) * 40503u) ^ (code * 2246822519u);
  if (known_.empty()) known_.resize(kMostKnown, {Interval::anything(), {}});
  Known& known = known_[(hash >> 16) % kMostKnown];
  if (!(known.accepted == accepted) || known.element.code != code) known = {accepted, element_at(*part_, 0, 0, accepted, code)};
  return known.element;
}

void PartComparison::add_outside(Interval accepted, uint32_t code, int64_t row, int64_t column) {
  const Element& e = known_element(accepted, code);
  const bool first = finding.outside++ == 0;
  if (first || std::abs(e.ulps) > finding.worst_ulps) {
    finding.worst = e;
    finding.worst.at = {part_->number_of(row), column};
    finding.worst_ulps = std::abs(e.ulps);
    worst_ = {row, column};
  }
  if (first) finding.first = finding.worst;
  if (!finding.picture) finding.picture = Picture::blank(part_->shape);
  finding.picture->add_outside(e, row, column);
  const double nearest = e.ulps < 0 ? e.low : e.high;
  if (std::isnan(e.value) || std::isnan(nearest)) return;
  if (std::fabs(e.value) < std::fabs(nearest)) ++finding.toward_zero;
  if (std::fabs(e.value) > std::fabs(nearest)) ++finding.away_from_zero;
}

void PartComparison::add_joint(const Place& place) {
  if (!finding.picture) finding.picture = Picture::blank(part_->shape);
  finding.picture->add_joint(place.row, place.column);
}

void PartComparison::merge(PartComparison&& later) {
  if (later.finding.outside > 0) {
    if (finding.outside == 0) finding.first = later.finding.first;
    if (finding.outside == 0 || later.finding.worst_ulps > finding.worst_ulps) {
      finding.worst = later.finding.worst;
      finding.worst_ulps = later.finding.worst_ulps;
      worst_ = later.worst_;
    }
  }
  add_counts(later.finding, finding);
  if (finding.picture && later.finding.picture)
    finding.picture->merge(*later.finding.picture);
  else if (later.finding.picture)
    finding.picture = std::move(later.finding.picture);
}

// Comparison of all outputs with an expectation.

/// An answer is divided into at most this many stretches of blocks, compared in parallel. Their findings are merged in order.
constexpr int64_t kMostStretches = 128;

bool overlaps(const std::vector<ByteRange>& ranges, ByteRange asked) {
  const auto after = std::partition_point(ranges.begin(), ranges.end(), [&](const ByteRange& r) { return r.end <= asked.begin; });
  return after != ranges.end() && after->begin < asked.end;
}

bool covers(const std::vector<ByteRange>& ranges, ByteRange asked) {
  const auto at = std::partition_point(ranges.begin(), ranges.end(), [&](const ByteRange& r) { return r.end <= asked.begin; });
  return at != ranges.end() && at->begin <= asked.begin && asked.end <= at->end;
}

std::string describe_padding(const Padding& padding, const Format& format, uint32_t code) {
  char text[128];
  std::snprintf(text, sizeof text, "[%lld, %lld] holds 0x%0*x = %.9g, must be %s", static_cast<long long>(padding.at[0]),
                static_cast<long long>(padding.at[1]), format.bits / 4, code, decode(format, code),
                padding.rule == PaddingRule::kZero ? "zero" : "left untouched");
  return text;
}

void compare_padding(const Part& part, const HostTensor& tensor, const std::vector<ByteRange>& untouched,
                     TensorFinding& finding) {
  if (!part.padding) return;
  const int64_t stored = stored_elements(part, tensor);
  part.padding([&](const Padding& padding) {
    if (padding.offset < 0 || padding.offset >= stored)
      throw std::logic_error("expectation of '" + part.label() + "': padding at offset " + std::to_string(padding.offset) +
                             " is outside the storage of " + std::to_string(stored));
    const uint32_t code = load_code(part, tensor, padding.offset);
    const bool right =
        padding.rule == PaddingRule::kFree || (padding.rule == PaddingRule::kZero && code == 0) ||
        (padding.rule == PaddingRule::kUntouched && covers(untouched, bytes_of_element(part, tensor.spec, padding.offset)));
    if (!right && finding.padding_wrong++ == 0) finding.padding_first = describe_padding(padding, *part.format, code);
  });
}

/// Findings of consecutive blocks.
struct Stretch {
  std::vector<PartComparison> parts;
  std::vector<Violation> violations;
  int64_t all_violations = 0;
  SampleKeeper keeper;

  Stretch(const Answer& answer, const std::vector<HostTensor>& tensors)
      : keeper(answer.steps, answer.of_columns ? answer.parts.front().columns() : 0) {
    for (const Part& part : answer.parts) parts.emplace_back(part, tensor_of(tensors, part));
  }

  void add(const StepRange& steps, AcceptedBlock block) {
    std::vector<std::vector<int64_t>> wrong(size_t(steps.end - steps.first)), of_part;
    for (size_t p = 0; p < parts.size(); ++p) {
      const AcceptedRows& rows = block.parts[p];
      of_part.assign(size_t(rows.end - rows.first), {});
      parts[p].add(rows, of_part);
      for (size_t row = 0; row < of_part.size(); ++row) {
        std::vector<int64_t>& of_step = wrong[size_t((rows.first + int64_t(row)) * parts[p].part().steps_per_row - steps.first)];
        of_step.insert(of_step.end(), of_part[row].begin(), of_part[row].end());
      }
    }
    for (Violation& violation : block.violations) {
      wrong[size_t(violation.step - steps.first)].push_back(SampleKeeper::kNone);
      keep(std::move(violation));
    }
    for (size_t step = 0; step < wrong.size(); ++step) keeper.add(steps.first + int64_t(step), wrong[step]);
  }

  void merge(Stretch&& later) {
    for (size_t p = 0; p < parts.size(); ++p) parts[p].merge(std::move(later.parts[p]));
    for (Violation& violation : later.violations)
      if (violations.size() < Finding::kMostViolations) violations.push_back(std::move(violation));
    all_violations += later.all_violations;
    keeper.merge(later.keeper);
  }

  void keep(Violation violation) {
    ++all_violations;
    for (const Place& place : violation.places)
      for (PartComparison& part : parts)
        if (part.part().label() == place.part) part.add_joint(place);
    if (violations.size() < Finding::kMostViolations) violations.push_back(std::move(violation));
  }
};

Stretch judged(const Answer& answer, const std::vector<HostTensor>& tensors, const std::vector<StepRange>& ranges) {
  const auto blocks = int64_t(ranges.size()), count = std::min(kMostStretches, std::max<int64_t>(1, blocks));
  std::vector<Stretch> stretches(size_t(count), Stretch(answer, tensors));
  for_each_in_parallel(count, [&](int64_t i) {
    for (int64_t b = i * blocks / count; b < (i + 1) * blocks / count; ++b)
      stretches[size_t(i)].add(ranges[size_t(b)], answer.accepted(ranges[size_t(b)].first, ranges[size_t(b)].end));
  });
  Stretch all = std::move(stretches.front());
  for (size_t i = 1; i < stretches.size(); ++i) all.merge(std::move(stretches[i]));
  return all;
}

/// For each part with wrong elements: fills in the members of its Picture that cover only the sample.
void look_closer(const Answer& answer, const Sample& sample, std::vector<PartComparison>& parts) {
  const auto fails = [](const PartComparison& part) { return part.finding.outside > 0; };
  if (std::none_of(parts.begin(), parts.end(), fails)) return;
  for (const SampleBlock& at : blocks_of(sample, answer)) {
    const AcceptedBlock block = accepted_in(at, answer);
    for (size_t p = 0; p < parts.size(); ++p)
      if (fails(parts[p])) parts[p].finding.picture->look_closer(at, block.parts[p], parts[p].part(), parts[p].tensor());
  }
  for (size_t p = 0; p < parts.size(); ++p)
    if (fails(parts[p])) parts[p].finding.picture->around = elements_around(answer, p, parts[p].tensor(), parts[p].worst());
}

void compare_padding_of(PartComparison& part, const std::vector<HostTensor>& tensors,
                        const std::vector<std::vector<ByteRange>>& untouched) {
  const auto tensor = size_t(&part.tensor() - tensors.data());
  static const std::vector<ByteRange> all_written;
  compare_padding(part.part(), part.tensor(), tensor < untouched.size() ? untouched[tensor] : all_written, part.finding);
}

Finding compare_with(const Answer& answer, const Expectation& expectation, const std::vector<HostTensor>& tensors,
                     const std::vector<std::vector<ByteRange>>& untouched) {
  Stretch all = judged(answer, tensors, block_ranges(answer));
  if (expectation.together)
    for (Violation& violation : expectation.together(tensors)) all.keep(std::move(violation));
  Finding finding{answer.program, {}, std::move(all.violations), all.all_violations, all.keeper.chosen(answer)};
  look_closer(answer, finding.sample, all.parts);
  for (PartComparison& part : all.parts) {
    compare_padding_of(part, tensors, untouched);
    finding.parts.push_back(std::move(part.finding));
  }
  return finding;
}

int64_t wrong(const Finding& finding) {
  int64_t sum = finding.all_violations;
  for (const TensorFinding& part : finding.parts) sum += part.outside + part.padding_wrong;
  return sum;
}

/// Number of elements in a sample that are wrong if this answer is the expected one.
int64_t wrong_on(const Sample& sample, const Answer& answer, const std::vector<HostTensor>& tensors) {
  const std::vector<SampleBlock> blocks = blocks_of(sample, answer);
  std::atomic<int64_t> sum = 0;
  for_each_in_parallel(int64_t(blocks.size()), [&](int64_t i) {
    const SampleBlock& at = blocks[size_t(i)];
    const AcceptedBlock block = accepted_in(at, answer);
    int64_t wrong = int64_t(block.violations.size());
    for (size_t p = 0; p < answer.parts.size(); ++p) {
      const Part& part = answer.parts[p];
      const HostTensor& tensor = tensor_of(tensors, part);
      for_each_element(at, part, block.parts[p], [&](int64_t row, int64_t column, Interval accepted) {
        wrong += !accepted.holds(*part.format, ordinal(*part.format, load_code(part, tensor, part.offset(row, column))));
      });
    }
    sum += wrong;
  });
  return sum;
}

/// The alternative answers (all but the first) to compare in full. For small tensors: all of them. For large tensors: those
/// without a wrong element in the sample. If there are none: the answer with the fewest wrong elements in the sample, if it has
/// fewer than the first answer.
std::vector<const Answer*> worth_a_look(const Expectation& expectation, const std::vector<HostTensor>& tensors,
                                        const Sample& sample) {
  std::vector<const Answer*> all, agreeing;
  for (size_t i = 1; i < expectation.any_of.size(); ++i) all.push_back(&expectation.any_of[i]);
  if (sample.is_everything() || all.empty()) return all;
  int64_t least = wrong_on(sample, expectation.any_of.front(), tensors);
  std::vector<const Answer*> nearest;
  for (const Answer* answer : all) {
    const int64_t left = wrong_on(sample, *answer, tensors);
    if (left == 0) agreeing.push_back(answer);
    if (left < least) least = left, nearest = {answer};
  }
  return agreeing.empty() ? nearest : agreeing;
}

}  // namespace

bool Finding::agrees() const {
  return all_violations == 0 && std::all_of(parts.begin(), parts.end(), [](const TensorFinding& part) { return part.agrees(); });
}

Finding compare(const Expectation& expectation, const std::vector<HostTensor>& tensors,
                const std::vector<std::vector<ByteRange>>& untouched) {
  if (expectation.any_of.empty()) throw std::logic_error("an expectation without an answer");
  Finding nearest = compare_with(expectation.any_of.front(), expectation, tensors, untouched);
  if (wrong(nearest) == 0) return nearest;
  for (const Answer* answer : worth_a_look(expectation, tensors, nearest.sample)) {
    Finding other = compare_with(*answer, expectation, tensors, untouched);
    if (wrong(other) < wrong(nearest)) nearest = std::move(other);
    if (wrong(nearest) == 0) break;
  }
  return nearest;
}

int64_t count_wrong_in(const SampleBlock& block, const Answer& answer, const std::vector<HostTensor>& tensors) {
  const Part& part = answer.parts.front();
  const HostTensor& tensor = tensor_of(tensors, part);
  const StepRange columns = block.has_all_columns() ? StepRange{0, part.columns()} : block.columns;
  std::vector<int32_t> seen;
  seen.reserve(size_t((block.steps.end - block.steps.first) * (columns.end - columns.first)));
  for (int64_t row = block.steps.first; row < block.steps.end; ++row)
    for (int64_t column = columns.first; column < columns.end; ++column)
      seen.push_back(ordinal(*part.format, load_code(part, tensor, part.offset(row, column))));
  const AcceptedBlock accepted = answer.enough_for(block.steps.first, block.steps.end, columns.first, columns.end, seen);
  int64_t wrong = 0;
  for (size_t i = 0; i < seen.size(); ++i) wrong += !accepted.parts.front().at(i).holds(*part.format, seen[i]);
  return wrong;
}

/// Columns of a block that is compared at once: few enough that a few rows keep all cores busy.
static constexpr int64_t kColumnsAtOnce = 64;

Finding count_wrong(const Expectation& expectation, const std::vector<HostTensor>& tensors,
                    const std::vector<std::vector<ByteRange>>& untouched) {
  const bool fast = expectation.any_of.size() == 1 && expectation.any_of.front().enough_for;
  if (!fast) return compare(expectation, tensors, untouched);
  const Answer& answer = expectation.any_of.front();
  PartComparison part(answer.parts.front(), tensor_of(tensors, answer.parts.front()));
  std::vector<SampleBlock> blocks;
  for (const StepRange& steps : block_ranges(answer))
    for (int64_t column = 0; column < part.part().columns(); column += kColumnsAtOnce)
      blocks.push_back({steps, {column, std::min(part.part().columns(), column + kColumnsAtOnce)}});
  std::atomic<int64_t> outside = 0;
  for_each_in_parallel(int64_t(blocks.size()), [&](int64_t i) { outside += count_wrong_in(blocks[size_t(i)], answer, tensors); });
  Finding finding{answer.program, {}, {}, 0, {}};
  if (expectation.together) finding.violations = expectation.together(tensors);
  finding.all_violations = int64_t(finding.violations.size());
  part.finding.outside = outside;
  compare_padding_of(part, tensors, untouched);
  finding.parts.push_back(std::move(part.finding));
  return finding;
}

Unwritten unwritten_elements(const Part& part, const TensorSpec& spec, const std::vector<ByteRange>& untouched) {
  Unwritten found;
  if (untouched.empty()) return found;
  // Each of the two calls has its own sentinel, and the kernel may store different indices in them. So a written byte of an index
  // may equal both sentinels by chance.
  const bool whole = *part.format == kInt32;
  for (int64_t row = 0; row < part.rows(); ++row) {
    for (int64_t column = 0; column < part.columns(); ++column) {
      const ByteRange bytes = bytes_of_element(part, spec, part.offset(row, column));
      if (whole ? !covers(untouched, bytes) : !overlaps(untouched, bytes)) continue;
      if (found.elements++ == 0) found.first = {part.number_of(row), column};
      found.rows.insert(row), found.columns.insert(column);
    }
  }
  return found;
}

std::string Unwritten::places(const Part& part) const {
  const std::string text = places_text(rows, part.rows(), columns, part.columns());
  return (text.empty() ? "" : ": ") + text;
}

}  // namespace assay
