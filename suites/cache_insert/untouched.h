// Bytes of a paged cache that no record uses; they must not change.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/core/expectation.h"
#include "suites/cache_insert/cache_case.h"

namespace assay {

/// The expected content of every byte once all records are written.
class Image {
 public:
  explicit Image(const HostTensor& before) : bytes_(before.bytes), state_(before.bytes.size(), kAsBefore) {}

  void write(int64_t byte, const Format& format, int32_t low, int32_t high);
  /// Reads the current content at these offsets. `high` is filled only if a byte is free, since caches are large.
  void read(const std::vector<int64_t>& at, WholePart& part) const;

 private:
  enum State : uint8_t { kAsBefore, kOneCode, kFree };
  std::vector<std::byte> bytes_;
  std::vector<uint8_t> state_;
  bool any_free_ = false;  ///< whether some byte is free
};

/// Parts for unused slots and for bytes outside all slots. `image`: their content if records are misplaced; null: the bytes
/// before the call.
std::vector<WholePart> untouched_parts(const CacheCase& c, const HostTensor& before, const Image* image);

}  // namespace assay
