// XXH3 of many pieces of bytes, one after the other.
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
  /// Of what was added until now.
  uint64_t value() const;
  /// The same as 16 hexadecimal digits.
  std::string text() const;

 private:
  struct Free {
    void operator()(XXH3_state_s* state) const;
  };
  std::unique_ptr<XXH3_state_s, Free> state_;
};

/// Of these bytes alone.
std::string digest_text(std::string_view bytes);

}  // namespace assay
