// Which of many are looked at where all would take minutes: the same ones each time, whatever stands beside them.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

namespace assay {

/// About one name in so many.
inline bool in_sample(std::string_view name, unsigned one_in) {
  uint32_t hash = 2166136261u;  // FNV-1a, mixed once more so that all its bits count
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  hash = (hash ^ hash >> 15) * 0x2c1b3c6du;
  return (hash ^ hash >> 13) % one_in == 0;
}

/// "8" is one in eight.
inline unsigned one_in(const std::string& text) {
  char* end = nullptr;
  const unsigned long value = std::strtoul(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || value < 1 || value > 1000) throw std::runtime_error("one in '" + text + "' is no sample");
  return unsigned(value);
}

/// What ASSAY_SAMPLE says, for tests that have no arguments; without it all are looked at.
inline unsigned one_in_of_environment() {
  const char* const text = std::getenv("ASSAY_SAMPLE");
  return text ? one_in(text) : 1;
}

}  // namespace assay
