#include "kernels/simt/cpu/executor.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "kernels/simt/cpu/slot.h"

namespace simt::cpu {

__thread Running* running = nullptr;

namespace {

/// Slots between launches. A fiber that waits for its next block may go on in another OS thread.
class Pool {
 public:
  std::unique_ptr<Slot> take(int threads, int warp) {
    const std::lock_guard lock(mutex_);
    for (auto& slot : free_)
      if (slot && slot->fits(threads, warp)) return std::move(slot);
    return std::make_unique<Slot>(threads, warp);
  }
  void give_back(std::unique_ptr<Slot> slot) {
    const std::lock_guard lock(mutex_);
    free_.erase(std::remove(free_.begin(), free_.end(), nullptr), free_.end());
    if (free_.size() >= kKept) free_.erase(free_.begin());
    free_.push_back(std::move(slot));
  }

 private:
  static constexpr size_t kKept = 32;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Slot>> free_;
};

Pool& pool() {
  static Pool instance;
  return instance;
}

int64_t cores() {
#ifdef ASSAY_SIMT_TSAN
  return 1;  // shared variables are plain globals in this build
#else
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
#endif
}

}  // namespace

void wait_for_warp(uint32_t what) { static_cast<Slot*>(running)->wait(Place::kWarp, what); }
void wait_for_block() { static_cast<Slot*>(running)->wait(Place::kBlock, 0); }

const uint64_t* exchange_among(uint64_t lanes, uint64_t word, uint32_t what) {
  Slot& slot = *static_cast<Slot*>(running);
  uint8_t& parity = slot.parity[slot.thread];
  parity ^= 1;
  memcpy(slot.slots[parity] + size_t(slot.thread) * sizeof word, &word, sizeof word);
  slot.wait_for_lanes(what << 8 | uint32_t(sizeof word), lanes);
  // Lanes that met after they had parted were brought to the same slots meanwhile.
  return reinterpret_cast<const uint64_t*>(slot.slots[parity]);
}

void run(const Launch& grid, void (*body)(const void*), const void* kernel, size_t shared_bytes) {
  if (grid.threads <= 0 || grid.threads % grid.warp != 0) throw std::invalid_argument("a block must consist of whole warps");
  std::atomic<int64_t> next{0};
  std::exception_ptr thrown;
  std::mutex mutex;
  const auto work = [&] {
    try {
      auto slot = pool().take(grid.threads, grid.warp);
      for (int64_t b; (b = next++) < grid.blocks;) slot->run(b, grid, body, kernel, shared_bytes);
      pool().give_back(std::move(slot));  // not after an exception: its fibers hang somewhere in the kernel
    } catch (...) {
      running = nullptr;
      next = grid.blocks;
      const std::lock_guard lock(mutex);
      if (!thrown) thrown = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  const int64_t workers = std::min(cores(), grid.blocks / 8 + 1);  // fewer blocks are done before a thread has started
  for (int64_t i = 1; i < workers; ++i) others.emplace_back(work);
  work();
  for (auto& thread : others) thread.join();
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace simt::cpu
