// A reader with a planted bug: it trusts the length that the file states. The check demands that the fuzzer finds it; no other
// program links it.
#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t count = data[0];
  volatile uint8_t sum = 0;
  for (size_t i = 1; i <= count; ++i) sum = uint8_t(sum + data[i]);
  return 0;
}
