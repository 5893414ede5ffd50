// XXH3 of many pieces of bytes, one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

struct XXH3_state_s;

namespace assay {

class Digest {
 public:
  Digest();
  void add(const void* bytes, size_t size);
  /// Of what was added until now.
  uint64_t value() const;

 private:
  struct Free {
    void operator()(XXH3_state_s* state) const;
  };
  std::unique_ptr<XXH3_state_s, Free> state_;
};

}  // namespace assay
