// Reads the recordings in the folder `gemm` of ASSAY_HARDWARE_VECTORS; the README there defines the files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "reference/table/table.h"

namespace assay::testing {

/// The elements of a .npy file: the bytes after its header.
inline std::string npy(const std::filesystem::path& file) {
  const std::string bytes = read_text(file.string());
  const size_t header = 10 + size_t(uint8_t(bytes.at(8))) + (size_t(uint8_t(bytes.at(9))) << 8);
  return bytes.substr(header);
}

/// The finalizer of splitmix64.
inline uint64_t mix(uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

}  // namespace assay::testing
