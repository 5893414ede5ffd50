// XXH3 of several byte ranges in sequence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct XXH3_state_s;

namespace assay {

class Digest {
 public:
  Digest();
  void add(const void* bytes, size_t size);
  /// Digest of everything added so far.
  uint64_t value() const;
  /// value() as 16 hex digits.
  std::string text() const;

 private:
  struct Free {
    void operator()(XXH3_state_s* state) const;
  };
  std::unique_ptr<XXH3_state_s, Free> state_;
};

/// Digest of one byte range.
std::string digest_text(std::string_view bytes);

}  // namespace assay
