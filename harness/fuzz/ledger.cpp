// Any text must be a known-failures list or give a TableError of one line.
#include <cstdlib>
#include <string_view>

#include "harness/run/ledger.h"
#include "reference/table/table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    (void)assay::Ledger::parse({reinterpret_cast<const char*>(data), size}, "fuzz.csv");
  } catch (const assay::TableError& error) {
    if (std::string_view(error.what()).find('\n') != std::string_view::npos) std::abort();
  }
  return 0;
}
