// Any bytes must be an array or give a DumpError; elements of an accepted array must lie within it.
#include "harness/dump/npy.h"

#include <cstdlib>
#include <sstream>

#include "harness/dump/strided.h"
#include "reference/formats/catalogue.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace assay;
  for (const Format* stated : {static_cast<const Format*>(nullptr), &kBf16, &kE8M0}) {
    try {
      std::istringstream stream(std::string(reinterpret_cast<const char*>(data), size));
      const Dump dump = index_npy(stream, size, "fuzz", stated);
      const StoredTensor& stored = dump.tensors.front();
      if (stored.end != size || stored.begin > stored.end) std::abort();
      const auto* bytes = reinterpret_cast<const std::byte*>(data);
      (void)code_matrix({storage_spec(dump, stored), {bytes + stored.begin, bytes + stored.end}});
    } catch (const DumpError&) {
    }
  }
  return 0;
}
