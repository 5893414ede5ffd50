#include "harness/core/compare.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "harness/core/element.h"
#include "harness/core/ordinals.h"

namespace assay {
namespace {

/// Books one element that is outside its accepted set. `worst`: which one is the worst so far.
void book_outside(const ExpectedTensor& expected, int64_t i, uint32_t code, TensorFinding& finding, int64_t& worst) {
  const Element e = element_at(expected, i, code);
  const bool first = finding.outside++ == 0;
  if (first) finding.first = e;
  if (first || std::abs(e.ulps) > finding.worst_ulps) {
    finding.worst = e;
    finding.worst_ulps = std::abs(e.ulps);
    worst = i;
  }
  const double nearest = e.ulps < 0 ? e.low : e.high;
  if (std::isnan(e.value) || std::isnan(nearest)) return;
  if (std::fabs(e.value) < std::fabs(nearest)) ++finding.toward_zero;
  if (std::fabs(e.value) > std::fabs(nearest)) ++finding.away_from_zero;
}

void book_width(int32_t low, int32_t high, int32_t o, TensorFinding& finding) {
  if (low == high) {
    ++finding.single_code;
  } else if (accepts_anything(low, high)) {
    ++finding.unjudged;
  } else if (o != kNanOrdinal) {
    finding.budget_use = std::max(finding.budget_use, budget_use(low, high, o));
  }
}

void check_fit(const ExpectedTensor& expected, const HostTensor& tensor) {
  const size_t elements = size_t(expected.elements());
  const auto refuse = [&](const std::string& what) { throw std::logic_error("expectation of '" + expected.label() + "': " + what); };
  if (expected.low.size() != elements) refuse("as many low ordinals as elements are needed");
  if (!expected.high.empty() && expected.high.size() != elements) refuse("as many high ordinals as elements are needed");
  if (!expected.offset.empty() && expected.offset.size() != elements) refuse("as many offsets as elements are needed");
  if (!expected.row_numbers.empty() && int64_t(expected.row_numbers.size()) != expected.shape[0])
    refuse("as many row numbers as rows are needed");
  const int64_t stored = int64_t(tensor.bytes.size()) / expected.format->bytes();
  const auto check = [&](int64_t offset) {
    if (offset < 0 || offset >= stored)
      refuse("offset " + std::to_string(offset) + " is outside the storage of " + std::to_string(stored));
  };
  if (expected.offset.empty() && elements > 0) check(int64_t(elements) - 1);
  for (const int64_t offset : expected.offset) check(offset);
  for (const Padding& padding : expected.padding) check(padding.offset);
}

bool overlaps(const std::vector<ByteRange>& ranges, int64_t begin, int64_t end) {
  const auto after = std::partition_point(ranges.begin(), ranges.end(), [&](const ByteRange& r) { return r.end <= begin; });
  return after != ranges.end() && after->begin < end;
}

bool covers(const std::vector<ByteRange>& ranges, int64_t begin, int64_t end) {
  const auto at = std::partition_point(ranges.begin(), ranges.end(), [&](const ByteRange& r) { return r.end <= begin; });
  return at != ranges.end() && at->begin <= begin && end <= at->end;
}

std::string describe_padding(const Padding& padding, const Format& format, uint32_t code) {
  char text[128];
  std::snprintf(text, sizeof text, "[%lld, %lld] holds 0x%0*x = %.9g, must be %s", static_cast<long long>(padding.at[0]),
                static_cast<long long>(padding.at[1]), format.bits / 4, code, decode(format, code),
                padding.rule == PaddingRule::kZero ? "zero" : "left untouched");
  return text;
}

void compare_padding(const ExpectedTensor& expected, const HostTensor& tensor, const std::vector<ByteRange>& untouched,
                     TensorFinding& finding) {
  const int64_t width = expected.format->bytes();
  for (const Padding& padding : expected.padding) {
    const uint32_t code = load_code(expected, tensor, padding.offset);
    const bool right =
        padding.rule == PaddingRule::kFree || (padding.rule == PaddingRule::kZero && code == 0) ||
        (padding.rule == PaddingRule::kUntouched && covers(untouched, padding.offset * width, (padding.offset + 1) * width));
    if (right) continue;
    if (finding.padding_wrong++ == 0) finding.padding_first = describe_padding(padding, *expected.format, code);
  }
}

/// Blocks of equal codes are passed over at the speed of memory; only what differs is looked at one by one. Returns the worst.
int64_t compare_elements(const ExpectedTensor& expected, const HostTensor& tensor, TensorFinding& finding) {
  constexpr int64_t kBlock = 2048;
  int32_t ordinals[kBlock];
  const Format& format = *expected.format;
  const bool pinned = expected.high.empty();
  const int64_t n = expected.elements();
  int64_t worst = 0;
  for (int64_t begin = 0; begin < n; begin += kBlock) {
    const int64_t count = std::min(kBlock, n - begin);
    const int32_t* low = expected.low.data() + begin;
    if (expected.offset.empty()) {
      ordinals_of_codes(format, tensor.bytes.data() + begin * format.bytes(), {ordinals, size_t(count)});
    } else {
      for (int64_t k = 0; k < count; ++k)
        ordinals[k] = ordinal(format, load_code(expected, tensor, expected.offset[size_t(begin + k)]));
    }
    if (pinned && all_equal(ordinals, low, count)) {
      finding.single_code += count;
      continue;
    }
    for (int64_t k = 0; k < count; ++k) {
      const int32_t high = expected.high_at(begin + k);
      book_width(low[k], high, ordinals[k], finding);
      if (accepts(low[k], high, ordinals[k])) continue;
      book_outside(expected, begin + k, load_code(expected, tensor, expected.offset_at(begin + k)), finding, worst);
    }
  }
  return worst;
}

}  // namespace

TensorFinding compare(const ExpectedTensor& expected, const HostTensor& tensor, const std::vector<ByteRange>& untouched) {
  check_fit(expected, tensor);
  TensorFinding finding;
  finding.name = expected.label();
  finding.format = expected.format->name;
  finding.shape = expected.shape;
  finding.elements = expected.elements();
  finding.reason = expected.reason;
  const int64_t worst = compare_elements(expected, tensor, finding);
  if (finding.outside > 0) finding.picture = picture_of(expected, tensor, worst);
  compare_padding(expected, tensor, untouched, finding);
  return finding;
}

Unwritten unwritten_elements(const ExpectedTensor& expected, const std::vector<ByteRange>& untouched) {
  Unwritten found;
  if (untouched.empty()) return found;
  const int64_t width = expected.format->bytes();
  for (int64_t i = 0; i < expected.elements(); ++i) {
    const int64_t offset = expected.offset_at(i) * width;
    if (!overlaps(untouched, offset, offset + width)) continue;
    if (found.elements++ == 0) found.first = {expected.row_number(i / expected.shape[1]), i % expected.shape[1]};
  }
  return found;
}

}  // namespace assay
