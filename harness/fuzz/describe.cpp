// Any text from a library must be a description or give a LibraryError of one line.
#include <cstdlib>
#include <string_view>

#include "harness/backend/library.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    (void)assay::parse_description({reinterpret_cast<const char*>(data), size}, "fuzz.so");
  } catch (const assay::LibraryError& error) {
    if (std::string_view(error.what()).find('\n') != std::string_view::npos) std::abort();
  }
  return 0;
}
