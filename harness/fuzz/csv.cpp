// Any text must be a table or give a TableError.
#include "reference/table/table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    (void)assay::parse_table({reinterpret_cast<const char*>(data), size}, "fuzz.csv");
  } catch (const assay::TableError&) {
  }
  return 0;
}
