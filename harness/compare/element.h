// One element of an output tensor: what it holds and what it may hold.
#pragma once

#include <array>
#include <cstdint>

#include "harness/core/byte_range.h"
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

/// Distance from the middle of an interval in half widths: 1 at its ends. Needs low < high, and no NaN.
double budget_use(Interval accepted, int32_t o);

/// Storage offsets of a part are in units of its format, which may be narrower than the tensor's: a record of bytes holds numbers of
/// several formats. Packed codes of 4 bits are counted one by one.

/// Elements that the tensor's storage has room for.
int64_t stored_elements(const Part& part, const HostTensor& tensor);

/// Bytes of the element at a storage offset; of a packed code the byte that it shares.
ByteRange bytes_of_element(const Part& part, const TensorSpec& spec, int64_t offset);

/// The code at a storage offset.
uint32_t load_code(const Part& part, const HostTensor& tensor, int64_t offset);

/// The element of a part at a row and a column, of which `code` was found.
Element element_at(const Part& part, int64_t row, int64_t column, Interval accepted, uint32_t code);

}  // namespace assay
