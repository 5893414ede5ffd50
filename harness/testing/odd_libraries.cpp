// Libraries that tests load by path; each is unusual in one respect. CMake compiles this file once for each of them, as
// assay_testing_<name> with ASSAY_LIBRARY_<name> defined.

#if defined(ASSAY_LIBRARY_no_symbol)

// A shared object that is not a kernel library.

extern "C" int assay_harness_testing_unrelated(void) { return 1; }

#endif  // ASSAY_LIBRARY_no_symbol

#if defined(ASSAY_LIBRARY_dies_on_load)

// A library that ends its process while it is loaded.

#include <cstdlib>

#include "assay/abi.h"

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) { std::abort(); }

#endif  // ASSAY_LIBRARY_dies_on_load

#if defined(ASSAY_LIBRARY_hangs_on_load)

// A library whose constructor never returns.

#include <unistd.h>

#include "assay/abi.h"

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  for (;;) ::pause();
}

#endif  // ASSAY_LIBRARY_hangs_on_load

#if defined(ASSAY_LIBRARY_rounds_on_load)

// A library whose constructor changes the rounding mode of the process. Real code built with -ffast-math changes how the process
// handles subnormals.

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

#endif  // ASSAY_LIBRARY_rounds_on_load

#if defined(ASSAY_LIBRARY_no_device)

// A library for a device that is not present.

#include "assay/abi.h"

namespace {

const char* describe() { return R"({"name": "absent", "arch": "sm_0", "device": "no such card", "kernels": []})"; }
assay_status run(const assay_call*) { return ASSAY_DEVICE_LOST; }
void* allocate(size_t) { return nullptr; }
void release(void*) {}
assay_status upload(void*, const void*, size_t) { return ASSAY_DEVICE_LOST; }
assay_status download(void*, const void*, size_t) { return ASSAY_DEVICE_LOST; }

const assay_library kLibrary = {ASSAY_ABI_VERSION,
                                sizeof(assay_library),
                                describe,
                                run,
                                allocate,
                                release,
                                upload,
                                download,
                                nullptr,
                                nullptr,
                                nullptr,
                                nullptr,
                                nullptr,
                                nullptr,
                                nullptr,
                                nullptr,
                                nullptr,
                                nullptr,
                                nullptr,
                                nullptr,
                                nullptr,
                                nullptr,
                                nullptr};

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) { return &kLibrary; }

#endif  // ASSAY_LIBRARY_no_device

#if defined(ASSAY_LIBRARY_device_memory)

// A library without kernels that implements the ABI's functions for device memory itself, like a library for a GPU.

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

#endif  // ASSAY_LIBRARY_device_memory

#if defined(ASSAY_LIBRARY_built_with_old_header)

// A library built before groups, workspaces and ranks were added to the C ABI: it includes a frozen copy of the old header. It
// copies x to y and reads only the fields of assay_call that this header has.

#include <cstring>

#include "assay/abi.h"

namespace {

const char* describe() {
  return R"({"name": "old", "arch": "cpu", "kernels": [{"name": "copy", "op": "toy", "contracts": ["toy.copy"]}]})";
}

assay_status run(const assay_call* call) {
  const assay_tensor *x = nullptr, *y = nullptr;
  for (int32_t i = 0; i < call->n_tensors; ++i) {
    if (std::strcmp(call->tensors[i].role, "x") == 0) x = &call->tensors[i];
    if (std::strcmp(call->tensors[i].role, "y") == 0) y = &call->tensors[i];
  }
  if (call->size < sizeof(assay_call) || x == nullptr || y == nullptr || call->stream != nullptr) return ASSAY_FAILED;
  std::memcpy(y->data, x->data, y->bytes);
  return ASSAY_OK;
}

const assay_library kLibrary = {ASSAY_ABI_VERSION,
                                sizeof(assay_library),
                                describe,
                                run,
                                nullptr,
                                nullptr,
                                nullptr,
                                nullptr,
                                nullptr,
                                nullptr,
                                nullptr,
                                nullptr,
                                nullptr,
                                nullptr,
                                nullptr};
static_assert(sizeof(assay_library) == 112 && sizeof(assay_call) == 104, "the header of 2026-11-22 has these");

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) { return &kLibrary; }

#endif  // ASSAY_LIBRARY_built_with_old_header

#if defined(ASSAY_LIBRARY_built_with_header_2026_11_25)

// A library built before assay_algorithm was added to the C ABI: it includes a frozen copy of the old header, and names its
// algorithm in its message. It copies x to y and reads only the fields of assay_call that this header has.

#include <cstdio>
#include <cstring>

#include "assay/abi.h"

namespace {

const char* describe() {
  return R"({"name": "old", "arch": "cpu", "kernels": [{"name": "copy", "op": "toy", "contracts": ["toy.copy"]}]})";
}

assay_status run(const assay_call* call) {
  const assay_tensor *x = nullptr, *y = nullptr;
  for (int32_t i = 0; i < call->n_tensors; ++i) {
    if (std::strcmp(call->tensors[i].role, "x") == 0) x = &call->tensors[i];
    if (std::strcmp(call->tensors[i].role, "y") == 0) y = &call->tensors[i];
  }
  if (call->size < sizeof(assay_call) || x == nullptr || y == nullptr || call->stream != nullptr) return ASSAY_FAILED;
  std::memcpy(y->data, x->data, y->bytes);
  std::snprintf(call->message, call->message_bytes, "program: split-K 3");
  return ASSAY_OK;
}

const assay_library* library() {
  static const assay_library one = [] {
    assay_library all{};
    all.abi = ASSAY_ABI_VERSION, all.size = sizeof(assay_library);
    all.describe = describe, all.run = run;
    return all;
  }();
  return &one;
}
static_assert(sizeof(assay_library) == 168 && sizeof(assay_call) == 112, "the header of 2026-11-25 has these");

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) { return library(); }

#endif  // ASSAY_LIBRARY_built_with_header_2026_11_25
