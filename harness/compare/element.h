// One element of an output tensor: its value and its accepted interval.
#pragma once

#include <array>
#include <cstdint>

#include "harness/core/byte_range.h"
#include "harness/core/expectation.h"
#include "harness/core/tensor.h"

namespace assay {

/// The values that a report prints for one element.
struct Element {
  std::array<int64_t, 2> at{};  ///< logical row and column
  uint32_t code = 0;
  double value = 0;
  uint32_t low_code = 0, high_code = 0;
  double low = 0, high = 0;
  int64_t ulps = 0;     ///< distance to the nearest accepted value, signed; 0 if only the sign of zero or NaN-ness differs
  bool outside = true;  ///< outside its accepted interval; false for the neighbours that are shown beside a wrong element
};

/// Distance from the middle of an interval in half widths: 1 at its ends. Needs low < high, and no NaN.
double budget_use(Interval accepted, int32_t o);

/// Storage offsets of a part count elements of the part's format. That format may be narrower than the tensor's: a byte tensor of
/// records holds numbers of several formats. Packed 4-bit codes are counted one by one.

/// Number of the part's elements that fit in the tensor's storage.
int64_t stored_elements(const Part& part, const HostTensor& tensor);

/// Bytes of the element at a storage offset. For a packed 4-bit code: the byte that it shares.
ByteRange bytes_of_element(const Part& part, const TensorSpec& spec, int64_t offset);

/// The code at a storage offset.
uint32_t load_code(const Part& part, const HostTensor& tensor, int64_t offset);

/// The element of a part at a row and a column, where the output holds `code`.
Element element_at(const Part& part, int64_t row, int64_t column, Interval accepted, uint32_t code);

}  // namespace assay
