// A library built before assay_algorithm was added to the C ABI. It includes a frozen copy of the header of that day and names
// its algorithm in its message. It copies x to y and reads only the fields of assay_call that it knows.
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
