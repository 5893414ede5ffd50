#include "harness/core/element.h"

#include <cmath>
#include <cstring>

namespace assay {
namespace {

/// Signed distance in ulp from the nearest accepted value; 0 where NaN is involved.
int64_t ulps_outside(const Format& format, int32_t low, int32_t high, int32_t o) {
  const int32_t nearest = o < low ? low : high;
  if (format.specials != Specials::kInteger && (is_nan_ordinal(o) || is_nan_ordinal(low))) return 0;
  return ulps_between(format, o, nearest);
}

}  // namespace

double budget_use(int32_t low, int32_t high, int32_t o) { return std::fabs(2.0 * o - low - high) / (double(high) - double(low)); }

uint32_t load_code(const ExpectedTensor& expected, const HostTensor& tensor, int64_t offset) {
  const size_t width = size_t(expected.format->bytes());
  uint32_t code = 0;
  std::memcpy(&code, tensor.bytes.data() + size_t(offset) * width, width);
  return code;
}

Element element_at(const ExpectedTensor& expected, int64_t i, uint32_t code) {
  const Format& format = *expected.format;
  Element e;
  e.at = {expected.row_number(i / expected.shape[1]), i % expected.shape[1]};
  e.code = code;
  e.value = decode(format, code);
  e.low_code = code_from_ordinal(format, expected.low[size_t(i)]);
  e.high_code = code_from_ordinal(format, expected.high_at(i));
  e.low = decode(format, e.low_code);
  e.high = decode(format, e.high_code);
  const int32_t o = ordinal(format, code);
  e.outside = !accepts(expected.low[size_t(i)], expected.high_at(i), o);
  if (e.outside) e.ulps = ulps_outside(format, expected.low[size_t(i)], expected.high_at(i), o);
  return e;
}

}  // namespace assay
