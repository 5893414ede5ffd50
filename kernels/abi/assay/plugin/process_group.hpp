// The ranks of a group that this process holds on host memory, while other processes of the machine hold the other ranks. Inputs
// that peers read are copied into memory that all processes map, as GPU kernels copy into a buffer registered with their peers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <deque>
#include <exception>
#include <map>
#include <string>
#include <vector>

#include "assay/plugin/group.hpp"
#include "assay/plugin/meeting.hpp"

#pragma GCC visibility push(hidden)  // hidden, because two plug-ins in one process must not share these statics
namespace assay::plugin {

/// The calls of all ranks, as this process sees them. Calls of its own ranks are unchanged. Calls of other ranks point to copies
/// of their inputs; their outputs are not accessible.
class CallsOfAll {
 public:
  /// `number`: index of the call in a back-to-back sequence. Each call has its own place for inputs.
  CallsOfAll(Meeting& meeting, const assay_call* const* calls, int32_t number) : tensors_(size_t(meeting.size())) {
    const assay_call& first = *calls[0];
    size_t bytes = kHead;
    for (int32_t i = 0; i < first.n_tensors; ++i) bytes += (first.tensors[i].bytes + 2 * kAligned) / kAligned * kAligned;
    for (int32_t r = 0; r < meeting.size(); ++r) {
      auto* const shared = static_cast<unsigned char*>(
          meeting.memory("inputs" + std::to_string(bytes) + "of" + std::to_string(r) + "call" + std::to_string(number), bytes));
      if (meeting.holds(r)) publish(*calls[r - meeting.first()], shared);
      shared_.push_back(shared);
      calls_.push_back(meeting.holds(r) ? *calls[r - meeting.first()] : first);
    }
  }

  /// Call it after all processes have met. Returns pointers to the calls of all ranks, which live as long as this object.
  const assay_call* const* as_seen(const Meeting& meeting) {
    for (int32_t r = 0; r < meeting.size(); ++r) {
      assay_call& call = calls_[size_t(r)];
      pointers_.push_back(&call);
      if (meeting.holds(r)) continue;
      std::vector<assay_tensor>& tensors = tensors_[size_t(r)];
      tensors.assign(call.tensors, call.tensors + call.n_tensors);
      const auto* const offsets = reinterpret_cast<const uint64_t*>(shared_[size_t(r)]);
      if (offsets[0] != uint64_t(call.n_tensors)) failed("all ranks must have the same number of tensors");
      for (int32_t i = 0; i < call.n_tensors; ++i) {
        if (offsets[2 * i + 2] != tensors[size_t(i)].bytes)
          failed(named(tensors[size_t(i)]) + " must have the same size on every rank");
        if (!tensors[size_t(i)].is_output) tensors[size_t(i)].data = shared_[size_t(r)] + offsets[2 * i + 1];
      }
      call.tensors = tensors.data();
      call.message = nullptr;
      call.rank = r;
    }
    return pointers_.data();
  }

 private:
  static constexpr size_t kHead = 4096, kAligned = 256;

  /// Writes to `shared` the number of tensors, then offset and size of each in bytes, and copies the inputs. They start at byte
  /// kHead; each copy has the original's address modulo kAligned.
  static void publish(const assay_call& call, unsigned char* shared) {
    auto* const offsets = reinterpret_cast<uint64_t*>(shared);
    if (size_t(call.n_tensors) * 2 + 1 > kHead / sizeof(uint64_t)) unsupported("the call has more tensors than the shared table can hold");
    size_t next = kHead;
    for (int32_t i = 0; i < call.n_tensors; ++i) {
      const assay_tensor& t = call.tensors[i];
      const size_t at = next + reinterpret_cast<uintptr_t>(t.data) % kAligned;
      offsets[2 * i + 1] = at;
      offsets[2 * i + 2] = t.bytes;
      next += (t.bytes + 2 * kAligned) / kAligned * kAligned;
      if (!t.is_output && t.bytes > 0) std::memcpy(shared + at, t.data, t.bytes);
    }
    offsets[0] = uint64_t(call.n_tensors);
  }

  std::vector<unsigned char*> shared_;
  std::vector<std::vector<assay_tensor>> tensors_;
  std::deque<assay_call> calls_;
  std::vector<const assay_call*> pointers_;
};

template <class C>
class ProcessGroup {
 public:
  explicit ProcessGroup(const assay_place& place) : meeting_(place) {}

  assay_status run(const std::vector<KernelOf<C>>& kernels, const CallsInARow& row, int32_t n, assay_status others) {
    try {
      const KernelOf<C>& kernel = select_for_group(kernels, row, n, meeting_.count());
      std::deque<CallsOfAll> all;
      for (int32_t i = 0; i < row.count; ++i) {
        for (int32_t r = 0; r < n; ++r) C checked(*row.calls[i][r]);
        all.emplace_back(meeting_, row.calls[i], i);
        hold(kernel.area(C(*row.calls[i][0])));
      }
      std::vector<Ranks> ranks;
      for (int32_t i = 0; i < row.count; ++i) ranks.push_back(ranks_of(kernel.area(C(*row.calls[i][0]))));
      const int32_t missing = meeting_.missing();
      if (missing >= 0)
        return report(row.first(), ASSAY_HUNG,
                      "waited in vain for rank " + std::to_string(missing) + " to begin; 'y' of the waiting rank was not computed");
      for (size_t i = 0; i < ranks.size(); ++i) ranks[i].calls = all[i].as_seen(meeting_);
      const assay_status status = run_ranks_side_by_side(kernel, ranks, meeting_.first(), meeting_.count(), others);
      if (status != ASSAY_OK) return status;
      return report_ranks(kernel, ranks.back(), reinterpret_cast<const unsigned char* const*>(ranks.back().areas),
                          meeting_.first(), meeting_.count());
    } catch (const Refusal& refusal) {
      return report(row.first(), refusal.status, refusal.what());
    } catch (const std::exception& error) {
      return report(row.first(), others, error.what());
    }
  }

 private:
  /// Allocates the areas of that kind for all ranks, and initializes the areas of this process's ranks as the kernel requests.
  void hold(const AreaRequest& wanted) {
    Kind& kind = kinds_[wanted.kind];
    if (kind.bytes < wanted.bytes) {
      kind = {};
      for (kind.bytes = 4096; kind.bytes < wanted.bytes;) kind.bytes *= 2;
      const std::string name = "area" + std::to_string(wanted.kind) + "bytes" + std::to_string(kind.bytes) + "of";
      for (int32_t r = 0; r < meeting_.size(); ++r) {
        void* const area = meeting_.memory(name + std::to_string(r), kind.bytes);
        if (wanted.fill && meeting_.holds(r)) wanted.fill(static_cast<unsigned char*>(area), kind.bytes);
        if (wanted.begin_at && meeting_.holds(r)) wanted.begin_at(static_cast<unsigned char*>(area), wanted.counter);
        kind.areas.push_back(area);
      }
    }
  }
  Ranks ranks_of(const AreaRequest& wanted) {
    Kind& kind = kinds_[wanted.kind];
    return {meeting_.size(), nullptr, kind.areas.data(), kind.bytes, kind.calls++, Meeting::lost, &meeting_};
  }

  struct Kind {
    std::vector<void*> areas;
    size_t bytes = 0;
    uint64_t calls = 0;
  };
  Meeting meeting_;
  std::map<int, Kind> kinds_;
};

}  // namespace assay::plugin
#pragma GCC visibility pop
