#include "harness/compare/element.h"

#include <cmath>
#include <cstring>

namespace assay {
namespace {

/// Signed distance to the nearest accepted value, in ulp; 0 if either value is NaN.
int64_t ulps_outside(const Format& format, Interval accepted, int32_t o) {
  const int32_t nearest = o < accepted.low ? accepted.low : accepted.high;
  if (!format.is_integer() && (is_nan_ordinal(o) || is_nan_ordinal(accepted.low))) return 0;
  return ulps_between(format, o, nearest);
}

}  // namespace

double budget_use(Interval accepted, int32_t o) {
  return std::fabs(2.0 * o - accepted.low - accepted.high) / (double(accepted.high) - double(accepted.low));
}

int64_t stored_elements(const Part& part, const HostTensor& tensor) {
  return int64_t(tensor.bytes.size()) * (tensor.spec.packed ? 2 : 1) / part.format->bytes();
}

ByteRange bytes_of_element(const Part& part, const TensorSpec& spec, int64_t offset) {
  if (spec.packed) return {offset / 2, offset / 2 + 1};
  return {offset * part.format->bytes(), (offset + 1) * part.format->bytes()};
}

uint32_t load_code(const Part& part, const HostTensor& tensor, int64_t offset) {
  if (tensor.spec.packed) return tensor.code(offset);
  const size_t width = size_t(part.format->bytes());
  uint32_t code = 0;
  std::memcpy(&code, tensor.bytes.data() + size_t(offset) * width, width);
  return code;
}

Element element_at(const Part& part, int64_t row, int64_t column, Interval accepted, uint32_t code) {
  const Format& format = *part.format;
  Element e;
  e.at = {part.number_of(row), column};
  e.code = code;
  e.value = decode(format, code);
  e.low_code = code_from_ordinal(format, accepted.low);
  e.high_code = code_from_ordinal(format, accepted.high);
  e.low = decode(format, e.low_code);
  e.high = decode(format, e.high_code);
  const int32_t o = ordinal(format, code);
  e.outside = !accepted.holds(format, o);
  if (e.outside) e.ulps = ulps_outside(format, accepted, o);
  return e;
}

}  // namespace assay
