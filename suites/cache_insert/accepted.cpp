#include "suites/cache_insert/accepted.h"

#include "harness/core/element.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/codes.h"
#include "suites/cache_insert/expect.h"
#include "suites/rows/expect.h"

namespace assay {
namespace {

/// Ordinals of what a row may hold from `first` on; everything is accepted where nothing can be said.
void put(const Format& format, const Spans& spans, size_t first, std::vector<int32_t>& low, std::vector<int32_t>& high) {
  for (size_t i = 0; i < low.size(); ++i) {
    const Span span = spans[first + i];
    low[i] = span.any() ? kAnyLow : ordinal_of_value(format, span.low);
    high[i] = span.any() ? kAnyHigh : ordinal_of_value(format, span.high);
  }
}

}  // namespace

AcceptedPart::AcceptedPart(const RecordPart& part, const CacheCase& c, const std::vector<int64_t>& rows, const Contract& contract,
                           const std::string& reason)
    : part_(&part), copies_(part.held == Held::kValues && contract.links.size() == 1) {
  const Format& format = part.format_in(*contract.group_quant()->q, *c.x);  // of a mistake: another than the case's
  tensor_.name = kCache;
  tensor_.part = part.name;
  tensor_.format = copies_ ? &with_nans_by_code(format) : &format;
  tensor_.shape = {int64_t(rows.size()), part.elements};
  tensor_.row_numbers = rows;
  tensor_.reason = copies_ ? "copied bit for bit" : reason;
  low_.resize(size_t(part.elements));
  high_.resize(size_t(part.elements));
}

void AcceptedPart::evaluate(const RecordValues& values, const CacheInputs& inputs, int64_t row) {
  const auto from = size_t(part_->from);
  switch (part_->held) {
    case Held::kCodes:
      return put(*tensor_.format, values.codes, from, low_, high_);
    case Held::kScales:
      return put(*tensor_.format, as_stored(values.scales, *tensor_.format), 0, low_, high_);
    case Held::kValues: {
      if (!copies_) return put(*tensor_.format, values.values, from, low_, high_);
      const std::vector<uint32_t> codes = inputs.codes_of_row(row);
      for (size_t e = 0; e < low_.size(); ++e) low_[e] = high_[e] = ordinal(*tensor_.format, codes[from + e]);
      return;
    }
    case Held::kZeros:
      std::fill(low_.begin(), low_.end(), ordinal(*tensor_.format, 0));
      high_ = low_;
  }
}

int32_t AcceptedPart::before_at(const HostTensor& before, int64_t offset) const {
  return ordinal(*tensor_.format, load_code(tensor_, before, offset));
}

ExpectedTensor AcceptedPart::finish() && {
  if (tensor_.low == tensor_.high) {
    tensor_.high.clear();
    if (!copies_) tensor_.reason = "every rounding is pinned: one code";  // what is free in the contract is not in this part
  }
  return std::move(tensor_);
}

}  // namespace assay
