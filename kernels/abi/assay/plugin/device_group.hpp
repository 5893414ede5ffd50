// The ranks of a group that one process holds, on one device or on several devices with peer access.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>

#include "assay/plugin/devices.hpp"
#include "assay/plugin/group.hpp"

#pragma GCC visibility push(hidden)  // hidden, because two plug-ins in one process must not share these statics
namespace assay::plugin {

/// True if the runtime has a LoadScope. While a LoadScope lives, a kernel launch only loads the kernel on the current device.
template <class Runtime, class = void>
struct LoadsKernels : std::false_type {};
template <class Runtime>
struct LoadsKernels<Runtime, std::void_t<typename Runtime::LoadScope>> : std::true_type {};

/// Remembers which kernels were loaded. A kernel must be loaded before the ranks run: loading at the first launch waits for all
/// running kernels, and such a kernel may wait for exactly that launch.
template <class Runtime, class C>
class LoadedKernels {
 public:
  /// Calls `load` before the first call with these launches. `load` makes them in a LoadScope, which loads kernels but starts none.
  template <class Load>
  void expect(const assay_call& call, Load load) {
    if constexpr (LoadsKernels<Runtime>::value) {
      if (!loaded_.insert(launches_of(call)).second) return;
      const typename Runtime::LoadScope scope;
      load();
    }
  }

 private:
  std::set<std::string> loaded_;
};

/// Copies of back-to-back calls, each with its own stream.
class InStreams {
 public:
  template <class StreamOf>
  InStreams(const CallsInARow& row, int32_t n, StreamOf stream_of) : calls_(size_t(row.count)), pointers_(size_t(row.count)) {
    for (int32_t i = 0; i < row.count; ++i) {
      for (int32_t r = 0; r < n; ++r) {
        calls_[size_t(i)].push_back(*row.calls[i][r]);
        calls_[size_t(i)].back().stream = stream_of(i, r);
      }
      for (const assay_call& call : calls_[size_t(i)]) pointers_[size_t(i)].push_back(&call);
      rows_.push_back(pointers_[size_t(i)].data());
    }
  }
  InStreams(const InStreams&) = delete;
  InStreams& operator=(const InStreams&) = delete;
  CallsInARow row() const { return {rows_.data(), int32_t(rows_.size())}; }

 private:
  std::vector<std::vector<assay_call>> calls_;
  std::vector<std::vector<const assay_call*>> pointers_;
  std::vector<const assay_call* const*> rows_;
};

/// The ranks of a group that this process runs on devices. Base class for groups in one process and in several.
template <class C>
class RanksOnDevice {
 public:
  /// Waits for a stream and returns the status of its work.
  using Finished = std::function<assay_status(void* stream)>;

  RanksOnDevice() = default;
  RanksOnDevice(const RanksOnDevice&) = delete;
  RanksOnDevice& operator=(const RanksOnDevice&) = delete;
  virtual ~RanksOnDevice() = default;
  virtual void* allocate(int32_t rank, size_t bytes) = 0;
  virtual assay_status run(const std::vector<KernelOf<C>>& kernels, const CallsInARow& row, int32_t n, assay_status others,
                           const Finished& finished) = 0;
};

/// Each device gets all of its ranks in one launch, on a stream of the group. With several devices, all launches are made before
/// the group waits for any of them. If calls have their own streams, the launch goes to the stream of the device's first rank,
/// and the group does not wait. Such a call can be captured into a graph after one ordinary call on the same areas.
template <class Runtime, class C>
class DeviceGroup : public RanksOnDevice<C> {
 public:
  explicit DeviceGroup(int32_t size)
      : size_(size),
        devices_(devices_for<Runtime>(size)),
        each_(size / int(devices_.size())),
        areas_(size, Memory{each_, devices_}) {
    for (const int device : devices_) {
      const OnDevice<Runtime> on(device);
      streams_.push_back(nullptr);
      if (Runtime::create_stream(&streams_.back()) != Runtime::kSuccess)
        throw Refusal(ASSAY_DEVICE_LOST, "cannot create a stream for the group");
    }
  }
  ~DeviceGroup() override {
    for (void* stream : streams_) (void)Runtime::destroy_stream(stream);
    for (void* data : memory_) (void)Runtime::release(data);
  }
  int devices() const { return int(devices_.size()); }

  void* allocate(int32_t rank, size_t bytes) override {
    void* const data = Memory{each_, devices_}.allocate(rank, bytes);
    if (data != nullptr) memory_.push_back(data);
    return data;
  }

  assay_status run(const std::vector<KernelOf<C>>& kernels, const CallsInARow& row, int32_t n, assay_status others,
                   const typename RanksOnDevice<C>::Finished& finished) override {
    try {
      const KernelOf<C>& kernel = select_for_group(kernels, row, n, size_);
      const bool has_streams = row.first()->stream != nullptr;
      if (has_streams && devices() > 1 && row.first()->stream == row.calls[0][each_]->stream)
        unsupported("ranks on different devices need different streams");
      InStreams in_streams(row, n, [&](int32_t i, int32_t r) {
        return has_streams ? row.calls[i][r / each_ * each_]->stream : streams_[size_t(r / each_)];
      });
      const std::vector<Ranks> ranks =
          areas_.ranks(in_streams.row(), [&](const assay_call& call) { return kernel.area(C(call)); });
      // Uploads and the initial contents of new areas were copied on default streams; other streams do not wait for these.
      const bool nothing_new = has_streams && ranks.front().earlier_calls > 0;
      if (!nothing_new)
        if (const assay_status ready = on_all([&](int) { return finished(nullptr); }); ready != ASSAY_OK) return ready;
      if (has_streams) return launch(kernel, ranks), ASSAY_OK;
      const assay_status status = launched(kernel, ranks, finished);
      return status != ASSAY_OK ? status : complaints(kernel, ranks.back());
    } catch (const Refusal& refusal) {
      return report(row.first(), refusal.status, refusal.what());
    } catch (const typename C::DeviceError& error) {
      return report(row.first(), ASSAY_DEVICE_LOST, error.what());
    } catch (const std::exception& error) {
      return report(row.first(), others, error.what());
    }
  }

 private:
  /// Calls `step` for every device and returns the first status that is not ASSAY_OK.
  template <class Step>
  assay_status on_all(Step step) {
    assay_status first = ASSAY_OK;
    for (int device = 0; device < devices(); ++device) {
      const OnDevice<Runtime> on(devices_[size_t(device)]);
      const assay_status status = step(device);
      if (first == ASSAY_OK) first = status;
    }
    return first;
  }

  void launch(const KernelOf<C>& kernel, const std::vector<Ranks>& row) {
    const auto run_all = [&](const Ranks& ranks) {
      for (int device = 0; device < devices(); ++device) {
        const OnDevice<Runtime> on(devices_[size_t(device)]);
        kernel.run_ranks(C(*ranks.calls[device * each_]), ranks, device * each_, each_);
      }
    };
    for (size_t i = 0; i < row.size() && devices() > 1; ++i) loaded_.expect(*row[i].calls[0], [&] { run_all(row[i]); });
    for (const Ranks& ranks : row) run_all(ranks);
  }

  assay_status launched(const KernelOf<C>& kernel, const std::vector<Ranks>& row,
                        const typename RanksOnDevice<C>::Finished& finished) {
    const auto wait = [&] { return on_all([&](int device) { return finished(streams_[size_t(device)]); }); };
    try {
      launch(kernel, row);
    } catch (...) {
      (void)wait();  // launched ranks still use memory: wait until they have given up waiting for the others
      throw;
    }
    return wait();
  }

  assay_status complaints(const KernelOf<C>& kernel, const Ranks& ranks) {
    std::vector<unsigned char> heads(size_t(size_) * kAreaHead);
    std::vector<const unsigned char*> head(static_cast<size_t>(size_));
    for (int32_t r = 0; r < size_; ++r) {
      head[size_t(r)] = heads.data() + size_t(r) * kAreaHead;
      if (Runtime::copy_out(heads.data() + size_t(r) * kAreaHead, ranks.areas[r], kAreaHead) != Runtime::kSuccess)
        return report(ranks.calls[0], ASSAY_DEVICE_LOST, "cannot read the area of a rank");
    }
    return report_ranks(kernel, ranks, head.data(), 0, size_);
  }

  /// Allocates a rank's memory on its device; all devices of the group can access it.
  struct Memory {
    int32_t each = 1;
    std::vector<int> devices = {0};
    void* allocate(int32_t rank, size_t bytes) const {
      const OnDevice<Runtime> on(devices[size_t(rank / each)]);
      void* data = nullptr;
      return Runtime::allocate(&data, bytes) == Runtime::kSuccess ? data : nullptr;
    }
    static void release(void* data) { (void)Runtime::release(data); }
    static bool write(void* to, const void* from, size_t bytes) { return Runtime::copy_in(to, from, bytes) == Runtime::kSuccess; }
  };
  int32_t size_;
  std::vector<int> devices_;
  int32_t each_;  ///< ranks per device
  Areas<Memory> areas_;
  LoadedKernels<Runtime, C> loaded_;
  std::vector<void*> streams_;  ///< one stream per device
  std::vector<void*> memory_;
};

}  // namespace assay::plugin
#pragma GCC visibility pop
