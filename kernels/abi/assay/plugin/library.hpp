// Builds the result of assay_get_library() from a table of kernels, for host memory or for a device. A vendor's runtime is a
// struct of static functions, as in cuda_plugin.hpp.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <mutex>

#include "assay/plugin/device_processes.hpp"
#include "assay/plugin/host_group.hpp"

#pragma GCC visibility push(hidden)  // hidden, because two plug-ins in one process must not share these statics
namespace assay::plugin {

template <class C>
struct Library {
  Identity identity;
  std::vector<KernelOf<C>> kernels;
  assay_status other_exceptions = ASSAY_FAILED;  ///< status of a call that throws something other than a Refusal
};

/// Kernels on host memory. They need no memory functions and no streams.
template <class C>
class HostLibrary {
 public:
  /// Keeps the table of the first call for the life of the library; later calls return the same library.
  static const assay_library* of(const Library<C>& table) {
    static const assay_library library = [&table] {
      kept() = table;
      assay_library l{};
      l.abi = ASSAY_ABI_VERSION;
      l.size = sizeof l;
      l.describe = describe;
      l.run = run;
      l.create_group = [](int32_t size) -> void* { return size < 2 || size > kMostRanks ? nullptr : new AnyGroup<C>(size); };
      l.join_group = join_group<C>;
      l.run_group = [](void* group, const assay_call* const* calls, int32_t n) {
        return run_group_in_a_row(group, &calls, 1, n);
      };
      l.run_group_in_a_row = run_group_in_a_row;
      l.destroy_group = [](void* group) { delete static_cast<AnyGroup<C>*>(group); };
      return l;
    }();
    return &library;
  }

 private:
  static Library<C>& kept() {
    static Library<C> table;
    return table;
  }
  static const char* describe() {
    static const std::string text = plugin::describe(kept().identity, kept().kernels);
    return text.c_str();
  }
  static assay_status run(const assay_call* call) { return plugin::run(kept().kernels, call, kept().other_exceptions); }
  static assay_status run_group_in_a_row(void* group, const assay_call* const* const* calls, int32_t n_calls, int32_t n) {
    return static_cast<AnyGroup<C>*>(group)->run(kept().kernels, {calls, n_calls}, n, kept().other_exceptions);
  }
};

/// True if the runtime has allocate_rows() for rows that lie far apart. It returns NULL on failure; release() frees the rows.
template <class Runtime, class = void>
struct HasFarRows : std::false_type {};
template <class Runtime>
struct HasFarRows<Runtime, std::void_t<decltype(&Runtime::allocate_rows)>> : std::true_type {};

/// Kernels on a device. Runtime must have: Error, kSuccess, identify(Identity&) (returns why there is no device, or ""),
/// allocate(), release(), copy_in(), copy_out(), wait(), take_last_error(), create_stream(), destroy_stream(), begin_capture(),
/// end_capture(), replay(), destroy_graph(), text(Error), and status_of(Error), which maps errors as abi.h describes. For several
/// devices it also needs the functions listed at HasDevices. status_of() returns ASSAY_FAULTED if all later calls of this process
/// would get the same error.
template <class Runtime, class C>
class DeviceLibrary {
  using Error = typename Runtime::Error;

 public:
  static const assay_library* of(const Library<C>& table) {
    static const assay_library library = [&table] {
      kept() = table;
      assay_library l{};
      l.abi = ASSAY_ABI_VERSION;
      l.size = sizeof l;
      l.describe = describe;
      l.run = run;
      l.allocate = allocate;
      l.release = release;
      l.upload = upload;
      l.download = download;
      l.synchronise = synchronise;
      l.create_stream = create_stream;
      l.destroy_stream = destroy_stream;
      l.begin_capture = begin_capture;
      l.end_capture = end_capture;
      l.replay = replay;
      l.destroy_graph = destroy_graph;
      l.create_group = create_group;
      l.run_group = [](void* group, const assay_call* const* calls, int32_t n) {
        return run_group_in_a_row(group, &calls, 1, n);
      };
      // If no kernel of the table has run_ranks, the library may supply group functions of its own (see nccl/).
      for (const KernelOf<C>& kernel : table.kernels)
        if (kernel.run_ranks) l.run_group_in_a_row = run_group_in_a_row;
      if constexpr (HasFarRows<Runtime>::value) l.allocate_rows = allocate_rows;
      l.allocate_on = [](void* group, int32_t rank, size_t bytes) { return lost() ? nullptr : group_of(group).allocate(rank, bytes); };
      l.destroy_group = [](void* group) { delete &group_of(group); };
      if constexpr (ExportsMemory<Runtime>::value) l.join_group = join_group;
      return l;
    }();
    return &library;
  }

 private:
  static Library<C>& kept() {
    static Library<C> table;
    return table;
  }

  /// The device that calls use. `lost` is the reason why calls are impossible: there is no device, or a kernel left it unusable.
  struct Device {
    Identity identity;
    std::string lost;
    std::mutex mutex;
    Device() {
      identity.name = kept().identity.name;
      lost = Runtime::identify(identity);
      if (lost.empty()) return;
      (void)Runtime::take_last_error();  // report the error here, not from the next launch
      identity.device = lost;
    }
  };
  static Device& device() {
    static Device found;
    return found;
  }
  static std::string why_lost() {
    const std::lock_guard<std::mutex> lock(device().mutex);
    return device().lost;
  }
  static bool lost() { return !why_lost().empty(); }

  /// Status for an error. The first call that sees a fault returns ASSAY_FAULTED; later calls return ASSAY_DEVICE_LOST, as they
  /// did not cause it.
  static assay_status judged(Error error) {
    if (error == Runtime::kSuccess) return ASSAY_OK;
    (void)Runtime::take_last_error();
    const assay_status status = Runtime::status_of(error);
    if (status == ASSAY_FAULTED) {
      const std::lock_guard<std::mutex> lock(device().mutex);
      if (!device().lost.empty()) return ASSAY_DEVICE_LOST;
      device().lost = "an earlier call left the device unusable for this process: " + Runtime::text(error);
    }
    return status;
  }

  /// DeviceGroup enqueues calls on their own streams; describe() reports this as honours_group_streams.
  static const char* describe() {
    static const std::string text = [] {
      std::string all = plugin::describe(device().identity, kept().kernels);
      return all.insert(all.rfind('}'), ", \"honours_group_streams\": true");
    }();
    return text.c_str();
  }

  static assay_status run(const assay_call* call) {
    const std::string why = why_lost();
    if (!why.empty()) return report(call, ASSAY_DEVICE_LOST, why);
    const assay_status status = plugin::run(kept().kernels, call, kept().other_exceptions);
    const Error left = Runtime::take_last_error();  // error of a launch that the kernel's function did not check
    const assay_status of_left = judged(left);
    return status != ASSAY_OK || of_left == ASSAY_OK ? status : report(call, of_left, "launch: " + Runtime::text(left));
  }

  static void* allocate(size_t bytes) {
    void* data = nullptr;
    if (lost()) return nullptr;
    if (Runtime::allocate(&data, bytes) == Runtime::kSuccess) return data;
    (void)Runtime::take_last_error();
    return nullptr;
  }
  static void* allocate_rows(size_t rows, size_t row_bytes, size_t pitch_bytes) {
    return lost() ? nullptr : Runtime::allocate_rows(rows, row_bytes, pitch_bytes);
  }
  static void release(void* data) {
    if (Runtime::release(data) != Runtime::kSuccess) (void)Runtime::take_last_error();
  }
  static assay_status upload(void* to, const void* from, size_t bytes) {
    return lost() ? ASSAY_DEVICE_LOST : judged(Runtime::copy_in(to, from, bytes));
  }
  static assay_status download(void* to, const void* from, size_t bytes) {
    return lost() ? ASSAY_DEVICE_LOST : judged(Runtime::copy_out(to, from, bytes));
  }
  static assay_status synchronise(void* stream) {
    if (lost()) return ASSAY_DEVICE_LOST;
    const Error waited = Runtime::wait(stream);
    const Error last = Runtime::take_last_error();
    return judged(waited != Runtime::kSuccess ? waited : last);
  }

  static void* create_stream() {
    void* stream = nullptr;
    if (!lost() && judged(Runtime::create_stream(&stream)) == ASSAY_OK) return stream;
    return nullptr;
  }
  static void destroy_stream(void* stream) { (void)judged(Runtime::destroy_stream(stream)); }

  /// An error while capturing counts as the call's error: the call used another stream, or waited for its own stream.
  static assay_status begin_capture(void* stream) { return lost() ? ASSAY_DEVICE_LOST : judged(Runtime::begin_capture(stream)); }
  static assay_status end_capture(void* stream, void** graph) {
    if (lost()) return ASSAY_DEVICE_LOST;
    const assay_status status = judged(Runtime::end_capture(stream, graph));
    return status == ASSAY_DEVICE_LOST ? ASSAY_FAILED : status;
  }
  static assay_status replay(void* graph, void* stream) {
    return lost() ? ASSAY_DEVICE_LOST : judged(Runtime::replay(graph, stream));
  }
  static void destroy_graph(void* graph) { (void)judged(Runtime::destroy_graph(graph)); }

  using Group = RanksOnDevice<C>;
  static Group& group_of(void* group) { return *static_cast<Group*>(group); }
  static void* create_group(int32_t size) {
    if (lost() || size < 2 || size > kMostRanks) return nullptr;
    try {
      return static_cast<Group*>(new DeviceGroup<Runtime, C>(size));
    } catch (const std::exception&) {
      (void)Runtime::take_last_error();
      return nullptr;
    }
  }
  static void* join_group(const assay_place* place) {
    if (lost() || !is_part_of_a_group(place)) return nullptr;
    try {
      return static_cast<Group*>(new DeviceProcesses<Runtime, C>(*place));
    } catch (const std::exception&) {
      (void)Runtime::take_last_error();
      return nullptr;
    }
  }
  static assay_status run_group_in_a_row(void* group, const assay_call* const* const* calls, int32_t n_calls, int32_t n) {
    const std::string why = why_lost();
    const CallsInARow row{calls, n_calls};
    if (!why.empty()) return report(row.first(), ASSAY_DEVICE_LOST, why);
    return group_of(group).run(kept().kernels, row, n, kept().other_exceptions, [&](void* stream) {
      const Error waited = Runtime::wait(stream);
      const Error last = Runtime::take_last_error();
      const Error error = waited != Runtime::kSuccess ? waited : last;
      const assay_status status = judged(error);
      return status == ASSAY_OK ? status : report(row.first(), status, Runtime::text(error));
    });
  }
};

}  // namespace assay::plugin
#pragma GCC visibility pop
