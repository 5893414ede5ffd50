#include "harness/compare/part_comparison.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <stdexcept>

#include "harness/compare/ordinals.h"

namespace assay {
namespace {

constexpr int64_t kRun = 2048;  ///< elements that are decoded per pass

/// Adds the counts of a later range of the same part.
void add_counts(const TensorFinding& later, TensorFinding& sum) {
  sum.outside += later.outside;
  sum.single_code += later.single_code;
  sum.unjudged += later.unjudged;
  sum.toward_zero += later.toward_zero;
  sum.away_from_zero += later.away_from_zero;
  sum.budget_use = std::max(sum.budget_use, later.budget_use);
}

}  // namespace

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
  if (int64_t(rows.low.size()) != count) refuse("as many low ordinals as elements are needed");
  if (!rows.high.empty() && int64_t(rows.high.size()) != count) refuse("as many high ordinals as elements are needed");
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

/// Skips runs that match at memory bandwidth; only elements that differ are examined one by one.
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

}  // namespace assay
