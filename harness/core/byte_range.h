// A range of bytes in a tensor's storage.
#pragma once

#include <cstdint>

namespace assay {

/// Bytes [begin, end).
struct ByteRange {
  int64_t begin, end;
  bool operator==(const ByteRange&) const = default;
};

}  // namespace assay
