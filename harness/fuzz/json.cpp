// Any bytes must be JSON within the limits or give a JsonError; accepted JSON must be within the limits.
#include "harness/text/guarded_json.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr assay::JsonLimits kLimits{.levels = 8, .members = 16, .values = 64, .list = 16};
  try {
    const nlohmann::json j = assay::guarded_json({reinterpret_cast<const char*>(data), size}, "fuzz.json", kLimits);
    if (j.is_array() && j.size() > kLimits.list) std::abort();
    if (j.is_object() && j.size() > kLimits.members) std::abort();
  } catch (const assay::JsonError& error) {
    if (error.byte() > size) std::abort();
  }
  return 0;
}
