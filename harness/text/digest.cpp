#include "harness/text/digest.h"

#include <xxhash.h>

#include <cstdio>

namespace assay {

Digest::Digest() : state_(XXH3_createState()) { XXH3_64bits_reset(state_.get()); }

void Digest::add(const void* bytes, size_t size) { XXH3_64bits_update(state_.get(), bytes, size); }

uint64_t Digest::value() const { return XXH3_64bits_digest(state_.get()); }

std::string Digest::text() const {
  char hexadecimal[17];
  std::snprintf(hexadecimal, sizeof hexadecimal, "%016llx", static_cast<unsigned long long>(value()));
  return hexadecimal;
}

std::string digest_text(std::string_view bytes) {
  Digest digest;
  digest.add(bytes.data(), bytes.size());
  return digest.text();
}

void Digest::Free::operator()(XXH3_state_s* state) const { XXH3_freeState(state); }

}  // namespace assay
