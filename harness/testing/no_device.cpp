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
                                nullptr};

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) { return &kLibrary; }
