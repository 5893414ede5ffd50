// The ranks of a group that this process holds on a device, while other processes of the machine hold the other ranks. The
// processes share one device, or use devices with peer access. Each process exports the memory that peers access, and the peers
// open it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <type_traits>
#include <utility>

#include "assay/plugin/device_group.hpp"
#include "assay/plugin/meeting.hpp"

#pragma GCC visibility push(hidden)  // hidden, because two plug-ins in one process must not share these statics
namespace assay::plugin {

/// True if the runtime can export memory: struct Handle, export_memory(Handle&, void*), open_memory(void**, const Handle&),
/// close_memory(void*), copy_across(to, from, bytes).
template <class Runtime, class = void>
struct ExportsMemory : std::false_type {};
template <class Runtime>
struct ExportsMemory<Runtime, std::void_t<typename Runtime::Handle>> : std::true_type {};

/// Shared memory pieces, identified by name and rank. A process allocates and exports its own pieces. It opens a peer's piece
/// after both processes have passed a meeting (a barrier of all processes).
template <class Runtime>
class SharedPieces {
 public:
  static constexpr int32_t kMostTensors = 32;
  explicit SharedPieces(Meeting& meeting) : meeting_(meeting) {}
  SharedPieces(const SharedPieces&) = delete;
  SharedPieces& operator=(const SharedPieces&) = delete;
  /// Releases memory only after every peer has closed it: cudaIpcCloseMemHandle() must precede the owner's cudaFree().
  ~SharedPieces() {
    for (auto& [name, data] : opened_)
      if (data != nullptr) (void)Runtime::close_memory(data);
    if (!opened_.empty()) (void)meeting_.missing();
    for (auto& [name, data] : own_) (void)Runtime::release(data);
  }

  /// What the owner of a piece publishes: its handle, and numbers for the peers.
  struct Label {
    typename Runtime::Handle handle;
    uint64_t words[kMostTensors];
  };

  /// Allocates and exports a piece. Returns false if it exists already.
  bool offer(const std::string& name, int32_t rank, size_t bytes) {
    void*& data = own_[key(name, rank)];
    if (data != nullptr) return false;
    expect(Runtime::allocate(&data, bytes), "allocated");
    expect(Runtime::export_memory(label(name, rank).handle, data), "exported");
    return true;
  }
  /// The label of a piece, in memory that all processes share.
  Label& label(const std::string& name, int32_t rank) {
    return *static_cast<Label*>(meeting_.memory("label." + key(name, rank), sizeof(Label)));
  }
  /// The address of a piece in this process. Opens a peer's piece at the first call.
  unsigned char* at(const std::string& name, int32_t rank) {
    if (meeting_.holds(rank)) return static_cast<unsigned char*>(own_.at(key(name, rank)));
    void*& data = opened_[key(name, rank)];
    if (data == nullptr) expect(Runtime::open_memory(&data, label(name, rank).handle), "opened");
    return static_cast<unsigned char*>(data);
  }

 private:
  static std::string key(const std::string& name, int32_t rank) { return name + "of" + std::to_string(rank); }
  static void expect(typename Runtime::Error error, const char* what) {
    if (error == Runtime::kSuccess) return;
    (void)Runtime::take_last_error();
    unsupported(std::string("memory for other processes cannot be ") + what + ": " + Runtime::text(error));
  }
  Meeting& meeting_;
  std::map<std::string, void*> own_, opened_;
};

template <class Runtime, class C>
class DeviceProcesses : public RanksOnDevice<C> {
 public:
  using Finished = typename RanksOnDevice<C>::Finished;

  /// With several devices, each process uses a single device. Processes are spread evenly over the devices.
  explicit DeviceProcesses(const assay_place& place) : meeting_(place), pieces_(meeting_) {
    if constexpr (HasDevices<Runtime>::value) {
      const std::vector<int> devices = devices_for<Runtime>(place.world_size);
      if (Runtime::use(devices[size_t(place.first_rank) * devices.size() / size_t(place.world_size)]) != Runtime::kSuccess)
        throw Refusal(ASSAY_DEVICE_LOST, "the device of these ranks cannot be used");
    }
    if (Runtime::create_stream(&stream_) != Runtime::kSuccess)
      throw Refusal(ASSAY_DEVICE_LOST, "cannot create a stream for the group");
  }
  ~DeviceProcesses() override {
    (void)Runtime::destroy_stream(stream_);
    for (void* data : memory_) (void)Runtime::release(data);
  }

  void* allocate(int32_t /*rank*/, size_t bytes) override {
    void* data = nullptr;
    if (Runtime::allocate(&data, bytes) != Runtime::kSuccess) return nullptr;
    memory_.push_back(data);
    return data;
  }

  assay_status run(const std::vector<KernelOf<C>>& kernels, const CallsInARow& row, int32_t n, assay_status others,
                   const Finished& finished) override {
    try {
      const KernelOf<C>& kernel = select_for_group(kernels, row, n, meeting_.count());
      if (const assay_status ready = finished(nullptr); ready != ASSAY_OK) return ready;
      std::deque<AsSeen> seen;
      for (int32_t i = 0; i < row.count; ++i) {
        offer_areas(kernel.area(C(*row.calls[i][0])));
        seen.emplace_back().inputs = publish(row.calls[i], n, i);
      }
      // The initial contents of areas were written on the default stream, for which neither this group's stream nor the peers'
      // streams wait.
      if (const assay_status ready = finished(nullptr); ready != ASSAY_OK) return ready;
      if (const int32_t rank = meeting_.missing(); rank >= 0) return late(row.first(), rank);
      std::vector<Ranks> ranks;
      for (int32_t i = 0; i < row.count; ++i)
        ranks.push_back(all_of(row.calls[i], kernel.area(C(*row.calls[i][0])), seen[size_t(i)]));
      const auto run_own = [&](const Ranks& call) {
        kernel.run_ranks(C(*call.calls[meeting_.first()]), call, meeting_.first(), n);
      };
      for (size_t i = 0; i < ranks.size(); ++i) loaded_.expect(*row.calls[i][0], [&] { run_own(ranks[i]); });
      // Kernels that wait for peers start only after every process has opened its memory and loaded its kernels.
      if (const int32_t rank = meeting_.missing(); rank >= 0) return late(row.first(), rank);
      for (const Ranks& call : ranks) run_own(call);
      const assay_status status = finished(stream_);
      (void)meeting_.missing();  // peers may read this memory until their kernels have ended
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
  static constexpr size_t kAligned = 256;

  /// The calls of all ranks from this process's point of view. Outputs of other processes' ranks are not accessible.
  struct AsSeen {
    std::string inputs;  ///< name of the pieces that hold the inputs
    std::deque<assay_call> calls;
    std::vector<const assay_call*> pointers;
    std::deque<std::vector<assay_tensor>> tensors;
    std::vector<void*> areas;
  };

  /// Reports that a peer did not arrive in time, and returns ASSAY_HUNG.
  static assay_status late(const assay_call* call, int32_t rank) {
    return report(call, ASSAY_HUNG, "waited in vain for rank " + std::to_string(rank) + " to begin; 'y' of the waiting rank was not computed");
  }

  /// Copies the inputs of this process's ranks into pieces that peers can open. Each copy has the original's address modulo
  /// kAligned. Returns the pieces' name. `number`: index of the call in a back-to-back sequence.
  std::string publish(const assay_call* const* calls, int32_t n, int32_t number) {
    size_t bytes = kAligned;
    for (int32_t i = 0; i < calls[0]->n_tensors; ++i) bytes += (calls[0]->tensors[i].bytes + 2 * kAligned) / kAligned * kAligned;
    const std::string name = "inputs" + std::to_string(bytes) + "call" + std::to_string(number);
    for (int32_t r = 0; r < n; ++r) {
      const int32_t rank = meeting_.first() + r;
      pieces_.offer(name, rank, bytes);
      uint64_t* const places = pieces_.label(name, rank).words;
      size_t next = 0;
      if (calls[r]->n_tensors > SharedPieces<Runtime>::kMostTensors) unsupported("expected at most 32 tensors in a call");
      for (int32_t i = 0; i < calls[r]->n_tensors; ++i) {
        const assay_tensor& t = calls[r]->tensors[i];
        places[i] = next + reinterpret_cast<uintptr_t>(t.data) % kAligned;
        next += (t.bytes + 2 * kAligned) / kAligned * kAligned;
        if (!t.is_output && t.bytes > 0 &&
            Runtime::copy_across(pieces_.at(name, rank) + places[i], t.data, t.bytes) != Runtime::kSuccess)
          throw Refusal(ASSAY_DEVICE_LOST, named(t) + " cannot be copied for the other processes");
      }
    }
    return name;
  }

  /// Name of the shared pieces that hold the areas of the requested kind, one per rank. They are allocated already.
  std::string area_name(const AreaRequest& wanted) const {
    return "area" + std::to_string(wanted.kind) + "bytes" + std::to_string(areas_.at(wanted.kind));
  }

  void offer_areas(const AreaRequest& wanted) {
    size_t& bytes = areas_[wanted.kind];
    if (bytes < wanted.bytes)
      for (bytes = 4096; bytes < wanted.bytes;) bytes *= 2;
    const std::string name = area_name(wanted);
    for (int32_t rank = meeting_.first(); rank < meeting_.first() + meeting_.count(); ++rank) {
      if (!pieces_.offer(name, rank, bytes)) continue;
      std::vector<unsigned char> first(bytes);
      if (wanted.fill) wanted.fill(first.data(), bytes);
      if (wanted.begin_at) wanted.begin_at(first.data(), wanted.counter);
      if (Runtime::copy_in(pieces_.at(name, rank), first.data(), bytes) != Runtime::kSuccess)
        throw Refusal(ASSAY_DEVICE_LOST, "cannot write the area of a rank");
    }
  }

  /// Call it after all processes have met. `seen` must outlive the result.
  Ranks all_of(const assay_call* const* calls, const AreaRequest& wanted, AsSeen& seen) {
    const std::string area = area_name(wanted);
    for (int32_t rank = 0; rank < meeting_.size(); ++rank) {
      const bool own = meeting_.holds(rank);
      assay_call& call = seen.calls.emplace_back(*calls[own ? rank - meeting_.first() : 0]);
      seen.pointers.push_back(&call);
      seen.areas.push_back(pieces_.at(area, rank));
      call.stream = stream_;
      if (own) continue;
      std::vector<assay_tensor>& tensors = seen.tensors.emplace_back(call.tensors, call.tensors + call.n_tensors);
      for (size_t i = 0; i < tensors.size(); ++i)
        if (!tensors[i].is_output) tensors[i].data = pieces_.at(seen.inputs, rank) + pieces_.label(seen.inputs, rank).words[i];
      call.tensors = tensors.data();
      call.message = nullptr;
      call.rank = rank;
    }
    return {meeting_.size(), seen.pointers.data(), seen.areas.data(), areas_.at(wanted.kind),
            earlier_++,      Meeting::lost,        &meeting_};
  }

  assay_status complaints(const KernelOf<C>& kernel, const Ranks& ranks) {
    std::vector<unsigned char> heads(size_t(ranks.size) * kAreaHead);
    std::vector<const unsigned char*> head;
    for (int32_t rank = 0; rank < ranks.size; ++rank) {
      head.push_back(heads.data() + size_t(rank) * kAreaHead);
      if (meeting_.holds(rank) &&
          Runtime::copy_out(heads.data() + size_t(rank) * kAreaHead, ranks.areas[rank], kAreaHead) != Runtime::kSuccess)
        return report(ranks.calls[rank], ASSAY_DEVICE_LOST, "cannot read the area of a rank");
    }
    return report_ranks(kernel, ranks, head.data(), meeting_.first(), meeting_.count());
  }

  Meeting meeting_;
  SharedPieces<Runtime> pieces_;
  LoadedKernels<Runtime, C> loaded_;
  void* stream_ = nullptr;
  std::vector<void*> memory_;
  std::map<int, size_t> areas_;  ///< area size in bytes, by kind
  uint64_t earlier_ = 0;
};

}  // namespace assay::plugin
#pragma GCC visibility pop
