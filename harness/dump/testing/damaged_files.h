// Helpers for tests that build tensor files by hand, valid or damaged, and check the reader's error.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "harness/dump/dump.h"

namespace assay::damaged_files {

/// `count` bytes; neighbouring bytes differ.
inline std::vector<std::byte> counted(size_t count) {
  std::vector<std::byte> bytes(count);
  for (size_t i = 0; i < count; ++i) bytes[i] = std::byte(7 * i + 1);
  return bytes;
}

/// An .npy file with that header and `data` bytes of data.
inline std::string npy(const std::string& header, size_t data, char version = 1) {
  std::string text = "\x93NUMPY";
  text += {version, '\0', char(header.size() & 0xff), char(header.size() >> 8)};
  if (version > 1) text += {'\0', '\0'};
  return text + header + std::string(data, 'd');
}

/// The message of the DumpError that `read` throws; empty if it throws none.
inline std::string complaint_of(const std::function<void()>& read) {
  try {
    read();
    return "";
  } catch (const DumpError& error) {
    return error.what();
  }
}

}  // namespace assay::damaged_files
