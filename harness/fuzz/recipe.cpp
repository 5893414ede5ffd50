// Any text is a recipe or a ParseError.
#include "reference/recipe/recipe.h"

#include "reference/formats/catalogue.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace assay;
  static const Names names{{{"M", "448"}}, {{"x", &kBf16}, {"q", &kE4M3Fn}}, {"s", "m", "r", "w", "n", "eps"}};
  try {
    (void)parse_recipe({reinterpret_cast<const char*>(data), size}, names);
  } catch (const ParseError&) {
  }
  return 0;
}
