#include "suites/cache_insert/accepted.h"

#include <memory>
#include <span>

#include "harness/compare/element.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "suites/cache_insert/expect.h"
#include "suites/rows/expect.h"

namespace assay {
namespace {

/// Ordinals that a row accepts from element `first` on; everything is accepted where the result is undefined.
void put(const Format& format, const Spans& spans, size_t first, std::vector<int32_t>& low, std::vector<int32_t>& high) {
  const size_t count = low.size();
  const auto ends = [&](const std::vector<double>& values, std::vector<int32_t>& ordinals) {
    ordinals_of_values(format, std::span(values).subspan(first, count), ordinals);
  };
  ends(spans.low, low);
  if (spans.pinned()) {
    high = low;
    return;
  }
  std::vector<double> known = spans.high;  // `any` has no value in every format
  for (size_t i = first; i < first + count; ++i)
    if (spans[i].any()) known[i] = 0;
  ends(known, high);
  for (size_t i = 0; i < count; ++i)
    if (spans[first + i].any()) low[i] = Interval::anything().low, high[i] = Interval::anything().high;
}

/// Storage places of elements with listed offsets, row by row.
Places listed_places(std::vector<int64_t> offsets, int64_t columns) {
  return Places::of_elements([all = std::make_shared<const std::vector<int64_t>>(std::move(offsets)), columns](
                                 int64_t row, int64_t column) { return (*all)[size_t(row * columns + column)]; });
}

}  // namespace

AcceptedPart::AcceptedPart(const RecordPart& part, const CacheCase& c, const std::vector<int64_t>& rows, const Contract& contract,
                           const std::string& reason)
    : record_(&part), copies_(part.kind == PartKind::kValues && contract.links.size() == 1) {
  const Format& format = part.format_in(*contract.group_quant()->q, *c.x);  // for a mutant, a different format than the case's
  whole_.part = {kCache, copies_ ? &with_nans_by_code(format) : &format, {int64_t(rows.size()), part.elements},
                 copies_ ? "copied bit for bit" : reason, part.name};
  whole_.part.row_number = [rows](int64_t row) { return rows[size_t(row)]; };
  low_.resize(size_t(part.elements));
  high_.resize(size_t(part.elements));
}

void AcceptedPart::evaluate(const RecordValues& values, const CacheInputs& inputs, int64_t row) {
  const auto from = size_t(record_->from);
  switch (record_->kind) {
    case PartKind::kCodes:
      return put(format(), values.codes, from, low_, high_);
    case PartKind::kScales:
      return put(format(), as_stored(values.scales, format()), 0, low_, high_);
    case PartKind::kValues: {
      if (!copies_) return put(format(), values.values, from, low_, high_);
      const std::vector<uint32_t> codes = inputs.codes_of_row(row);
      for (size_t e = 0; e < low_.size(); ++e) low_[e] = high_[e] = ordinal(format(), codes[from + e]);
      return;
    }
    case PartKind::kZeros:
      std::fill(low_.begin(), low_.end(), ordinal(format(), 0));
      high_ = low_;
  }
}

int32_t AcceptedPart::before_at(const HostTensor& before, int64_t offset) const {
  return ordinal(format(), load_code(whole_.part, before, offset));
}

WholePart AcceptedPart::finish() && {
  if (whole_.low == whole_.high) {
    whole_.high.clear();
    if (!copies_) whole_.part.justification = "every rounding is pinned: one code";  // freedom elsewhere in the contract does not
                                                                                     // affect this part
  }
  whole_.part.places = listed_places(std::move(offsets_), record_->elements);
  return std::move(whole_);
}

}  // namespace assay
