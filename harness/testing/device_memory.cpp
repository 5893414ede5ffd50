// A library without kernels that has its own memory functions, like a library for a device.
#include <cstdlib>
#include <cstring>

#include "assay/abi.h"

namespace {

const char* describe() { return R"({"name": "twin", "arch": "twin", "kernels": []})"; }
assay_status run(const assay_call*) { return ASSAY_UNSUPPORTED; }
void* allocate(size_t bytes) { return std::malloc(bytes); }
void release(void* data) { std::free(data); }
assay_status copy(void* to, const void* from, size_t bytes) {
  std::memcpy(to, from, bytes);
  return ASSAY_OK;
}
assay_status synchronise(void*) { return ASSAY_OK; }

const assay_library* library() {
  static const assay_library functions = [] {
    assay_library f{};
    f.abi = ASSAY_ABI_VERSION;
    f.size = sizeof(assay_library);
    f.describe = describe;
    f.run = run;
    f.allocate = allocate;
    f.release = release;
    f.upload = copy;
    f.download = copy;
    f.synchronise = synchronise;
    return f;
  }();
  return &functions;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) { return library(); }
