// Bytes of a paged cache that no token's record takes: they stay as they were before the call.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/core/expectation.h"
#include "suites/cache_insert/cache_case.h"

namespace assay {

/// What is known of each byte when all records are there.
class Image {
 public:
  explicit Image(const HostTensor& before) : bytes_(before.bytes), state_(before.bytes.size(), kAsBefore) {}

  void write(int64_t byte, const Format& format, int32_t low, int32_t high);
  /// Bytes at these places, as they are now. Caches are large: `high` is there only if one of the bytes is free.
  void read(const std::vector<int64_t>& at, WholePart& part) const;

 private:
  enum State : uint8_t { kAsBefore, kOneCode, kFree };
  std::vector<std::byte> bytes_;
  std::vector<uint8_t> state_;
  bool any_free_ = false;  ///< in some byte
};

/// Parts for the places of tokens that no row takes, and for what is in no place. `image`: what they hold where records do not
/// lie as the case says; null: they do, and the bytes are those before the call.
std::vector<WholePart> untouched_parts(const CacheCase& c, const HostTensor& before, const Image* image);

}  // namespace assay
