// A library whose constructor changes the rounding mode of the process, as code built with -ffast-math changes the handling of
// subnormals.
#include <cfenv>

#include "assay/abi.h"

namespace {

const bool kChanged = std::fesetround(FE_UPWARD) == 0;

const char* describe() {
  std::fesetround(FE_TOWARDZERO);
  return R"({"name": "upward", "arch": "cpu", "kernels": []})";
}

const assay_library kLibrary = [] {
  assay_library host{};
  host.abi = ASSAY_ABI_VERSION;
  host.size = sizeof(assay_library);
  host.describe = describe;
  host.run = [](const assay_call*) -> assay_status { return kChanged ? ASSAY_UNSUPPORTED : ASSAY_FAILED; };
  return host;
}();

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) { return &kLibrary; }
