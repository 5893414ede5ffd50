// The C ABI of a library whose kernels run on a device. A vendor's runtime is a struct of static functions; see kernels/cuda.
#pragma once

#include <string>
#include <vector>

#include "kernels/ops/catalogue.h"

namespace assay_kernels {

/// Runtime: Error, kSuccess, identify(Identity&), allocate(), release(), copy_in(), copy_out(), wait(), take_last_error(),
/// status_of(Error); create_stream(), destroy_stream(), begin_capture(), end_capture(), replay(), destroy_graph().
template <class Runtime>
class DeviceLibrary {
 public:
  static const assay_library* instance() {
    static const assay_library library{
        ASSAY_ABI_VERSION, sizeof(assay_library), describe,       run,           allocate,    release, upload,       download,
        synchronise,       create_stream,         destroy_stream, begin_capture, end_capture, replay,  destroy_graph,
        nullptr,           nullptr,               nullptr,        nullptr,       nullptr};
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

  static void* create_stream() {
    void* stream = nullptr;
    if (!lost() && checked(Runtime::create_stream(&stream)) == ASSAY_OK) return stream;
    return nullptr;
  }
  static void destroy_stream(void* stream) { (void)checked(Runtime::destroy_stream(stream)); }

  /// What goes wrong while capturing is the call's doing: it left its stream or waited for it.
  static assay_status of_capture(typename Runtime::Error error) {
    const assay_status status = checked(error);
    return status == ASSAY_OK || lost() ? status : ASSAY_FAILED;
  }
  static assay_status begin_capture(void* stream) { return lost() ? ASSAY_DEVICE_LOST : checked(Runtime::begin_capture(stream)); }
  static assay_status end_capture(void* stream, void** graph) { return of_capture(Runtime::end_capture(stream, graph)); }
  static assay_status replay(void* graph, void* stream) { return checked(Runtime::replay(graph, stream)); }
  static void destroy_graph(void* graph) { (void)checked(Runtime::destroy_graph(graph)); }
};

}  // namespace assay_kernels
