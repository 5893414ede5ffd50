// The C ABI of a library whose kernels run on a device. A vendor's runtime is a struct of static functions; see kernels/cuda.
#pragma once

#include <string>
#include <vector>

#include "kernels/ops/catalogue.h"

namespace assay_kernels {

/// Runtime: Error, kSuccess, identify(Identity&), allocate(), release(), copy_in(), copy_out(), wait(), take_last_error(),
/// status_of(Error).
template <class Runtime>
class DeviceLibrary {
 public:
  static const assay_library* instance() {
    static const assay_library library{
        ASSAY_ABI_VERSION, sizeof(assay_library), describe, run, allocate, release, upload, download, synchronise};
    return &library;
  }

 private:
  /// The device that calls go to, or why there is none.
  struct Device {
    Identity identity;
    std::string lost;
    Device() {
      lost = Runtime::identify(identity);
      if (lost.empty()) return;
      (void)Runtime::take_last_error();  // it is reported here, not by the next launch
      identity.device = lost;
    }
  };
  static const Device& device() {
    static const Device found;
    return found;
  }
  static bool lost() { return !device().lost.empty(); }

  static const std::vector<Kernel>& kernels() {
    static const auto all = all_kernels();
    return all;
  }

  static const char* describe() {
    static const std::string text = assay_kernels::describe(device().identity, kernels());
    return text.c_str();
  }

  static assay_status run(const assay_call* call) {
    if (lost()) return report(call, ASSAY_DEVICE_LOST, device().lost);
    return assay_kernels::run(kernels(), call);
  }

  static void* allocate(size_t bytes) {
    void* data = nullptr;
    if (lost()) return nullptr;
    if (Runtime::allocate(&data, bytes) == Runtime::kSuccess) return data;
    (void)Runtime::take_last_error();
    return nullptr;
  }

  static void release(void* data) {
    if (Runtime::release(data) != Runtime::kSuccess) (void)Runtime::take_last_error();
  }

  static assay_status checked(typename Runtime::Error error) {
    if (error != Runtime::kSuccess) (void)Runtime::take_last_error();
    return Runtime::status_of(error);
  }
  static assay_status upload(void* to, const void* from, size_t bytes) {
    return lost() ? ASSAY_DEVICE_LOST : checked(Runtime::copy_in(to, from, bytes));
  }
  static assay_status download(void* to, const void* from, size_t bytes) {
    return lost() ? ASSAY_DEVICE_LOST : checked(Runtime::copy_out(to, from, bytes));
  }

  static assay_status synchronise(void* stream) {
    if (lost()) return ASSAY_DEVICE_LOST;
    const auto waited = Runtime::wait(stream);
    const auto last = Runtime::take_last_error();
    return Runtime::status_of(waited != Runtime::kSuccess ? waited : last);
  }
};

}  // namespace assay_kernels
