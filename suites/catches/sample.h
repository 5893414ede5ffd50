// Selects a stable sample by name, for tests where running everything would take minutes.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

namespace assay {

/// True for about one name in `one_in`.
inline bool in_sample(std::string_view name, unsigned one_in) {
  uint32_t hash = 2166136261u;  // FNV-1a, mixed once more so that all bits count
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  hash = (hash ^ hash >> 15) * 0x2c1b3c6du;
  return (hash ^ hash >> 13) % one_in == 0;
}

/// Parses "8" (one in eight).
inline unsigned one_in(const std::string& text) {
  char* end = nullptr;
  const unsigned long value = std::strtoul(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || value < 1 || value > 1000) throw std::runtime_error("one in '" + text + "' is no sample");
  return unsigned(value);
}

/// The value of ASSAY_SAMPLE, for tests without arguments; 1 (everything) if it is not set.
inline unsigned one_in_of_environment() {
  const char* const text = std::getenv("ASSAY_SAMPLE");
  return text ? one_in(text) : 1;
}

}  // namespace assay
