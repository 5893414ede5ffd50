// One element of an output tensor: what it holds and what it may hold.
#pragma once

#include <array>
#include <cstdint>
#include <limits>

#include "harness/core/expectation.h"
#include "harness/core/tensor.h"

namespace assay {

/// Ready to be printed.
struct Element {
  std::array<int64_t, 2> at{};  ///< logical row and column
  uint32_t code = 0;
  double value = 0;
  uint32_t low_code = 0, high_code = 0;
  double low = 0, high = 0;
  int64_t ulps = 0;     ///< distance to the nearest accepted value, signed; 0 if only the sign of zero or NaN-ness differs
  bool outside = true;  ///< of its accepted set; false for what is shown beside a wrong element
};

/// The interval from kAnyLow to here accepts everything.
inline constexpr int32_t kAnyHigh = std::numeric_limits<int32_t>::max();

constexpr bool accepts_anything(int32_t low, int32_t high) { return low == kAnyLow && high == kAnyHigh; }

/// Whether an interval of ordinals holds one. NaN is held only by an interval that begins with kNanOrdinal.
constexpr bool accepts(int32_t low, int32_t high, int32_t o) {
  return accepts_anything(low, high) || (low <= o && o <= high && (o != kNanOrdinal || low == kNanOrdinal));
}

/// Distance from the middle of an interval in half widths: 1 at its ends. Needs low < high, and no NaN.
double budget_use(int32_t low, int32_t high, int32_t o);

/// The code at a storage offset in units of the expected format, which may be narrower than the tensor's.
uint32_t load_code(const ExpectedTensor& expected, const HostTensor& tensor, int64_t offset);

/// Element i in logical order, of which `code` was found.
Element element_at(const ExpectedTensor& expected, int64_t i, uint32_t code);

}  // namespace assay
