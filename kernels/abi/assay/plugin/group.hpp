// A group of ranks in one process: the calls of all ranks, and the memory that ranks keep between calls.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <thread>

#include "assay/plugin/table.hpp"

#pragma GCC visibility push(hidden)  // hidden, because two plug-ins in one process must not share these statics
namespace assay::plugin {

inline constexpr int32_t kMostRanks = 16;

/// True if the place is a valid argument of join_group().
inline bool is_part_of_a_group(const assay_place* place) {
  return place->size >= sizeof *place && place->n_ranks > 0 && place->first_rank >= 0 &&
         place->first_rank + place->n_ranks <= place->world_size && place->world_size >= 2 && place->world_size <= kMostRanks;
}

/// Back-to-back calls of a group: calls[i][r] is call i of the r-th rank in this process.
struct CallsInARow {
  const assay_call* const* const* calls;
  int32_t count;
  const assay_call* first() const { return calls[0][0]; }
};

/// Returns the table row for the calls' kernel, op and contract. Rejects calls that do not form one group call.
template <class C>
const KernelOf<C>& select_for_group(const std::vector<KernelOf<C>>& kernels, const CallsInARow& row, int32_t n, int32_t size) {
  if (n != size) failed("a group of " + std::to_string(size) + " ranks got " + std::to_string(n) + " calls");
  if (row.count < 1) failed("expected at least one call of the group, got none");
  const KernelOf<C>& kernel = select(kernels, *row.first());
  for (int32_t i = 1; i < row.count; ++i)
    if (&select(kernels, *row.calls[i][0]) != &kernel) failed("back-to-back calls must have the same kernel and contract");
  if (!kernel.run_ranks) unsupported("kernel '" + kernel.name + "' supports a single rank only");
  return kernel;
}

/// Key of a call's launches: kernel name, contract, and format and shape of each tensor. Calls with equal keys launch the same
/// kernels.
inline std::string launches_of(const assay_call& call) {
  std::string text = std::string(call.kernel) + " " + call.contract;
  for (int32_t i = 0; i < call.n_tensors; ++i) {
    const assay_tensor& t = call.tensors[i];
    text += ' ' + type_name(t);
    for (int d = 0; d < t.ndim; ++d) text += ',' + std::to_string(t.shape[d]);
  }
  return text;
}

/// Writes the messages of the ranks first to first + count - 1, if they recorded errors. Returns the status of the first rank
/// that failed.
template <class C>
assay_status report_ranks(const KernelOf<C>& kernel, const Ranks& ranks, const unsigned char* const* heads, int32_t first,
                          int32_t count) {
  assay_status status = ASSAY_OK;
  for (int32_t r = first; r < first + count && kernel.complaint; ++r) {
    const std::string words = kernel.complaint(heads[r], r);
    if (words.empty()) continue;
    const assay_status of_rank = report(ranks.calls[r], ASSAY_HUNG, words);
    if (status == ASSAY_OK) status = of_rank;
  }
  return status;
}

/// The areas of each kind, one per rank. Memory must have: void* allocate(int32_t rank, size_t); void release(void*); bool
/// write(void* to, const void* from, size_t).
template <class Memory>
class Areas {
 public:
  explicit Areas(int32_t size, const Memory& memory = {}) : size_(size), memory_(memory) {}
  Areas(const Areas&) = delete;
  Areas& operator=(const Areas&) = delete;
  ~Areas() {
    for (auto& [kind, one] : kinds_) release(one);
  }

  /// Returns the Ranks of a call, with the areas that it requests. Areas of earlier calls are reused while they are large enough.
  Ranks ranks(const AreaRequest& wanted, const assay_call* const* calls) {
    hold(wanted);
    Kind& kind = kinds_[wanted.kind];
    return {size_, calls, kind.areas.data(), kind.bytes, kind.calls++};
  }

  /// Returns the ranks of each back-to-back call. No area moves while an earlier call still uses it.
  template <class Request>
  std::vector<Ranks> ranks(const CallsInARow& row, Request request) {
    std::vector<Ranks> all;
    for (int32_t i = 0; i < row.count; ++i) hold(request(*row.calls[i][0]));
    for (int32_t i = 0; i < row.count; ++i) all.push_back(ranks(request(*row.calls[i][0]), row.calls[i]));
    return all;
  }

 private:
  void hold(const AreaRequest& wanted) {
    Kind& kind = kinds_[wanted.kind];
    if (kind.bytes < wanted.bytes) {
      release(kind);
      size_t bytes = 4096;
      while (bytes < wanted.bytes) bytes *= 2;
      std::unique_ptr<unsigned char[]> first(new unsigned char[bytes]());
      if (wanted.fill) wanted.fill(first.get(), bytes);
      if (wanted.begin_at) wanted.begin_at(first.get(), wanted.counter);
      for (int32_t r = 0; r < size_; ++r) {
        void* const area = memory_.allocate(r, bytes);
        if (!area) unsupported("out of memory for the areas of the group");
        kind.areas.push_back(area);
        if (!memory_.write(area, first.get(), bytes)) throw Refusal(ASSAY_DEVICE_LOST, "cannot write the area of a rank");
      }
      kind.bytes = bytes;
      kind.calls = 0;
    }
  }
  struct Kind {
    std::vector<void*> areas;
    size_t bytes = 0;
    uint64_t calls = 0;
  };
  void release(Kind& kind) {
    for (void* area : kind.areas) memory_.release(area);
    kind = {};
  }
  int32_t size_;
  Memory memory_;
  std::map<int, Kind> kinds_;
};

/// Runs the back-to-back calls of one rank on host memory. Never throws.
template <class C>
assay_status run_rank(const KernelOf<C>& kernel, const std::vector<Ranks>& row, int32_t rank, assay_status others) {
  const assay_call* call = row.front().calls[rank];
  try {
    const std::shared_ptr<void> entered = kernel.enter ? kernel.enter(C(*call), row.front(), rank) : nullptr;
    for (const Ranks& ranks : row) {
      call = ranks.calls[rank];
      kernel.run_ranks(C(*call), ranks, rank, 1);
    }
    return ASSAY_OK;
  } catch (const Refusal& refusal) {
    return report(call, refusal.status, refusal.what());
  } catch (const std::exception& error) {
    return report(call, others, error.what());
  } catch (...) {
    return report(call, ASSAY_FAILED, "the kernel threw an object that is not a std::exception");
  }
}

/// Runs the ranks of this process, starting at `first`, at the same time. Returns the status of the first rank that failed.
template <class C>
assay_status run_ranks_side_by_side(const KernelOf<C>& kernel, const std::vector<Ranks>& row, int32_t first, int32_t count,
                                    assay_status others) {
  std::vector<assay_status> ended(size_t(count), ASSAY_OK);
  auto run = [&](int32_t i) { ended[size_t(i)] = run_rank(kernel, row, first + i, others); };
  if (kernel.side_by_side && !row.front().lost) {
    kernel.side_by_side(count, [](void* of, int i) { (*static_cast<decltype(run)*>(of))(i); }, &run);
  } else {
    std::vector<std::thread> threads;
    for (int32_t i = 0; i < count; ++i) threads.emplace_back(run, i);
    for (std::thread& thread : threads) thread.join();
  }
  for (const assay_status status : ended)
    if (status != ASSAY_OK) return status;
  return ASSAY_OK;
}

/// A group whose ranks run in this process, on host memory.
template <class C>
class HostGroup {
 public:
  explicit HostGroup(int32_t size) : size_(size), areas_(size) {}

  assay_status run(const std::vector<KernelOf<C>>& kernels, const CallsInARow& row, int32_t n, assay_status others) {
    try {
      const KernelOf<C>& kernel = select_for_group(kernels, row, n, size_);
      for (int32_t i = 0; i < row.count; ++i)
        for (int32_t r = 0; r < n; ++r) C checked(*row.calls[i][r]);
      const std::vector<Ranks> ranks = areas_.ranks(row, [&](const assay_call& call) { return kernel.area(C(call)); });
      const assay_status status = run_ranks_side_by_side(kernel, ranks, 0, size_, others);
      if (status != ASSAY_OK) return status;
      return report_ranks(kernel, ranks.back(), reinterpret_cast<const unsigned char* const*>(ranks.back().areas), 0, size_);
    } catch (const Refusal& refusal) {
      return report(row.first(), refusal.status, refusal.what());
    } catch (const std::exception& error) {
      return report(row.first(), others, error.what());
    }
  }

 private:
  struct Memory {
    static void* allocate(int32_t /*rank*/, size_t bytes) { return ::operator new(bytes, std::align_val_t(256), std::nothrow); }
    static void release(void* data) { ::operator delete(data, std::align_val_t(256)); }
    static bool write(void* to, const void* from, size_t bytes) { return std::memcpy(to, from, bytes) != nullptr; }
  };

  int32_t size_;
  Areas<Memory> areas_;
};

}  // namespace assay::plugin
#pragma GCC visibility pop
