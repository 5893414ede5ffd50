// Any text must be a formula or give a ParseError. A formula must have a value or give std::domain_error, without overflow or a
// crash.
#include "reference/exact/expression.h"

#include "reference/formats/catalogue.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace assay;
  try {
    const Expression formula({reinterpret_cast<const char*>(data), size});
    std::map<std::string, int64_t> values;
    std::map<std::string, std::string> constants;
    for (const std::string& name : formula.names()) values[name] = int64_t{1} << (name.size() % 63), constants[name] = "0.1e-38";
    try {
      (void)formula.integer(values);
    } catch (const std::domain_error&) {
    }
    try {
      (void)formula.rounded(constants, kF32);
    } catch (const std::domain_error&) {
    }
  } catch (const ParseError&) {
  }
  return 0;
}
