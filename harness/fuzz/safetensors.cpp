// Any bytes must be a tensor file or give a DumpError; elements of accepted tensors must lie within it.
#include <cstdlib>
#include <sstream>

#include "harness/dump/safetensors.h"
#include "harness/dump/strided.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace assay;
  try {
    std::istringstream stream(std::string(reinterpret_cast<const char*>(data), size));
    const Dump dump = index_safetensors(stream, size, "fuzz");
    for (const StoredTensor& stored : dump.tensors) {
      if (stored.end > size || stored.begin > stored.end) std::abort();
      if (stored.format == nullptr) continue;
      const auto* bytes = reinterpret_cast<const std::byte*>(data);
      (void)code_matrix({storage_spec(dump, stored), {bytes + stored.begin, bytes + stored.end}});
    }
  } catch (const DumpError&) {
  }
  return 0;
}
