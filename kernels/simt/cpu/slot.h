// A running block: its fibers, what each of them waits for, and who may go on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include "kernels/simt/cpu/executor.h"
#include "kernels/simt/cpu/fiber.h"
#include "kernels/simt/cpu/stacks.h"

namespace simt::cpu {

enum class Place : uint8_t { kRunning = 0, kWarp = 1, kBlock = 2, kGone = 3 };
constexpr unsigned bit(Place place) { return 1u << unsigned(place); }
constexpr uint32_t kSubset = 1u << 31;  ///< in what_: not all lanes of the warp

/// splitmix64 (Steele, Lea, Flood 2014).
struct Random {
  uint64_t state;
  uint32_t below(uint32_t bound) {
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return uint32_t(((z ^ z >> 31) >> 32) * bound >> 32);
  }
};

/// Room for one running block: made once, used for many blocks, one OS thread at a time.
class Slot : public Running {
 public:
  Slot(int thread_count, int lanes);
  bool fits(int thread_count, int lanes) const { return threads == thread_count && warp == lanes; }

  /// Returns when all threads of block `index` have returned from body(call). Throws Divergence, and what the kernel throws; the
  /// slot must not be used again then: its fibers hang somewhere in the kernel.
  void run(int64_t index, const Launch& grid, void (*body)(const void*), const void* call, size_t shared_bytes);

  // Called by the threads.
  void wait_for_lanes(uint32_t what, uint64_t lanes) {
    lanes_[size_t(thread)] = lanes & all_lanes();
    wait(Place::kWarp, (lanes & all_lanes()) == all_lanes() ? what : what | kSubset);
  }
  void wait(Place place, uint32_t what) {
    const size_t t = size_t(thread);
    places_[t] = place;
    what_[t] = what;
    int *sync = nullptr, *also = nullptr;
#ifdef ASSAY_SIMT_TSAN
    // Two of each, used in turn: a thread that runs ahead to its next wait must not seem to have been waited for. Lanes of a warp
    // that has parted take turns of their own, so there they meet at both.
    const size_t w = t / size_t(warp);
    sync = place == Place::kWarp ? &warp_sync_[w * 2 + parities_[t]] : &barrier_sync_[barriers_ & 1];
    if (place == Place::kWarp && (warps_[w].parted || what_[t] & kSubset)) also = &warp_sync_[w * 2 + (parities_[t] ^ 1)];
#endif
    publish(sync);
    if (also) publish(also);
    fibers_[t].yield();
    collect(sync);
    if (also) collect(also);
  }

 private:
  static void publish([[maybe_unused]] int* sync) {
#ifdef ASSAY_SIMT_TSAN
    __tsan_release(sync);
#endif
  }
  static void collect([[maybe_unused]] int* sync) {
#ifdef ASSAY_SIMT_TSAN
    __tsan_acquire(sync);
#endif
  }

  struct Warp {
    uint64_t ready = 0;   ///< lanes that can go on; all but in a warp that has parted
    bool parted = false;  ///< some lanes went on without the others
  };

  static void thread_main(void* argument);
  void collect_everywhere();

  uint64_t all_lanes() const { return kAllLanes >> (64 - warp); }
  uint64_t lanes_of(size_t t) const { return what_[t] & kSubset ? lanes_[t] : all_lanes(); }
  bool same_wait(size_t t, size_t u) const { return what_[t] == what_[u] && lanes_of(t) == lanes_of(u); }

  bool step(int warp_index);
  bool regroup(int warp_index);
  bool partners_wait(int first, size_t t) const;

  /// Each returns true when all threads are gone.
  bool run_to_barrier_in_order();
  bool run_to_barrier_at_random(Random& random);
  bool pass_barrier();

  /// "threads 0-15 wait at a shuffle (xor 8), threads 16-31 at the barrier"
  std::string describe(int begin, int end) const;
  std::string name(size_t t) const;

  Stacks stacks_;
  std::vector<Fiber> fibers_;
  std::vector<Place> places_;
  std::vector<uint32_t> what_;
  std::vector<uint64_t> lanes_;  ///< that a thread waits for
  std::vector<Warp> warps_;
  std::vector<uint8_t> parities_;
  std::vector<uint64_t> values_;
  std::vector<int> order_;
  void (*body_)(const void*) = nullptr;
  std::vector<std::max_align_t> shared_;
  std::exception_ptr thrown_;
  unsigned barriers_ = 0;
  int start_sync_ = 0;
#ifdef ASSAY_SIMT_TSAN
  int barrier_sync_[2] = {};
  std::vector<int> warp_sync_;
#endif
};

}  // namespace simt::cpu
