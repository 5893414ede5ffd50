// A block that runs on the CPU: stacks and fibers of its threads, what each fiber waits for, and which fibers can continue.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <boost/context/detail/fcontext.hpp>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "kernels/simt/cpu/executor.h"

// The stacks that the threads of a block run on.

#ifdef ASSAY_SIMT_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace simt::cpu {

/// Stacks of a block's threads, each with a guard page below it.
class Stacks {
 public:
  explicit Stacks(int threads, size_t stride = 128 * 1024) : stride_(stride), bytes_(size_t(threads) * stride), data_(map(bytes_)) {
    const size_t page = size_t(sysconf(_SC_PAGESIZE));
    for (int t = 0; t < threads; ++t) mprotect(data_ + size_t(t) * stride, page, PROT_NONE);
  }
  ~Stacks() {
#ifdef ASSAY_SIMT_ASAN
    __asan_unpoison_memory_region(data_, bytes_);  // frames of fibers that never returned are still marked
#endif
    munmap(data_, bytes_);
  }
  Stacks(const Stacks&) = delete;
  Stacks& operator=(const Stacks&) = delete;

  int count() const { return int(bytes_ / stride_); }
  std::byte* bottom(int thread) const { return data_ + size_t(thread) * stride_ + size_t(sysconf(_SC_PAGESIZE)); }
  /// Stacks start at different offsets within a page, because stacks at equal offsets would compete for the same cache sets.
  size_t size(int thread) const { return stride_ - size_t(sysconf(_SC_PAGESIZE)) - size_t(thread) * 320 % 4096; }

 private:
  static std::byte* map(size_t bytes) {
    void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data == MAP_FAILED) throw std::bad_alloc();
    return static_cast<std::byte*>(data);
  }
  size_t stride_, bytes_;
  std::byte* data_;
};

}  // namespace simt::cpu

// A fiber with its own stack, on Boost.Context, with the annotations that the sanitizers need. In TSan builds, only executor.cpp uses
// fibers, and is compiled without TSan: if TSan took a switch for synchronization, it would not see races between lanes.

#ifdef ASSAY_SIMT_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef ASSAY_SIMT_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace simt::cpu {

class Fiber {
 public:
  Fiber() = default;
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
#ifdef ASSAY_SIMT_TSAN
  ~Fiber() {
    if (tsan_self_) __tsan_destroy_fiber(tsan_self_);
  }
#endif

  /// main(argument) starts at the first resume() and must never return.
  void make(std::byte* stack, size_t bytes, void (*main)(void*), void* argument) {
    main_ = main;
    argument_ = argument;
#ifdef ASSAY_SIMT_ASAN
    __asan_unpoison_memory_region(stack, bytes);  // frames of an earlier fiber, which never returned
#endif
    self_ = boost::context::detail::make_fcontext(stack + bytes, bytes, &Fiber::enter);
#ifdef ASSAY_SIMT_ASAN
    stack_ = stack;
    stack_bytes_ = bytes;
#endif
#ifdef ASSAY_SIMT_TSAN
    tsan_self_ = __tsan_create_fiber(0);
#endif
  }

  /// Called by the scheduler: runs the fiber until its next yield().
  void resume() {
#ifdef ASSAY_SIMT_ASAN
    void* fake_stack = nullptr;
    __sanitizer_start_switch_fiber(&fake_stack, stack_, stack_bytes_);
#endif
#ifdef ASSAY_SIMT_TSAN
    tsan_back_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(tsan_self_, __tsan_switch_to_fiber_no_sync);
#endif
    self_ = boost::context::detail::jump_fcontext(self_, this).fctx;
#ifdef ASSAY_SIMT_ASAN
    __sanitizer_finish_switch_fiber(fake_stack, &stack_, &stack_bytes_);  // the stack that yield() left
#endif
  }

  /// Called in the fiber: returns to the scheduler. The fiber's next resume() continues after this call.
  void yield() {
#ifdef ASSAY_SIMT_ASAN
    void* fake_stack = nullptr;
    __sanitizer_start_switch_fiber(&fake_stack, back_stack_, back_stack_bytes_);
#endif
#ifdef ASSAY_SIMT_TSAN
    __tsan_switch_to_fiber(tsan_back_, __tsan_switch_to_fiber_no_sync);
#endif
    back_ = boost::context::detail::jump_fcontext(back_, nullptr).fctx;
#ifdef ASSAY_SIMT_ASAN
    __sanitizer_finish_switch_fiber(fake_stack, &back_stack_, &back_stack_bytes_);
#endif
  }

 private:
  static void enter(boost::context::detail::transfer_t from) {
    Fiber& fiber = *static_cast<Fiber*>(from.data);
    fiber.back_ = from.fctx;
#ifdef ASSAY_SIMT_ASAN
    __sanitizer_finish_switch_fiber(nullptr, &fiber.back_stack_, &fiber.back_stack_bytes_);
#endif
    fiber.main_(fiber.argument_);
  }

  boost::context::detail::fcontext_t self_ = nullptr, back_ = nullptr;
  void (*main_)(void*) = nullptr;
  void* argument_ = nullptr;
#ifdef ASSAY_SIMT_ASAN
  const void *stack_ = nullptr, *back_stack_ = nullptr;
  size_t stack_bytes_ = 0, back_stack_bytes_ = 0;
#endif
#ifdef ASSAY_SIMT_TSAN
  void *tsan_self_ = nullptr, *tsan_back_ = nullptr;
#endif
};

}  // namespace simt::cpu

namespace simt::cpu {

enum class Place : uint8_t { kRunning = 0, kWarp = 1, kBlock = 2, kGone = 3 };
constexpr unsigned bit(Place place) { return 1u << unsigned(place); }
constexpr uint32_t kSubset = 1u << 31;  ///< flag in what_: not all lanes of the warp take part

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

/// Everything that a running block needs. Created once and used for many blocks, by one OS thread at a time.
class Slot : public Running {
 public:
  Slot(int thread_count, int lanes);
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  ~Slot();
  bool fits(int thread_count, int lanes) const { return threads == thread_count && warp == lanes; }

  /// Runs body(call) in all threads of block `index`; returns when all have returned. Throws Divergence, and exceptions of the
  /// kernel. After an exception the slot must not be used again, because its fibers are stuck inside the kernel.
  void run(int64_t index, const Launch& grid, void (*body)(const void*), const void* call, size_t shared_bytes);
  /// Notes the size of a shared variable, and fills it if the launch asks for that.
  void note_variable(size_t number, size_t bytes);

  // Called by the SIMT threads.
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
    // There are two TSan addresses, used in turn: when a thread runs ahead, its next wait must not count for the current one.
    // Lanes that have diverged alternate independently, so they may meet at either address.
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
    uint64_t ready = 0;   ///< lanes that can continue: all lanes, unless the warp has diverged
    bool parted = false;  ///< the warp has diverged: some lanes continued without the others
  };

  static void thread_main(void* argument);
  void collect_everywhere();

  uint64_t all_lanes() const { return kAllLanes >> (64 - warp); }
  uint64_t lanes_of(size_t t) const { return what_[t] & kSubset ? lanes_[t] : all_lanes(); }
  bool same_wait(size_t t, size_t u) const { return what_[t] == what_[u] && lanes_of(t) == lanes_of(u); }

  bool step(int warp_index);
  bool regroup(int warp_index);
  bool partners_wait(int first, size_t t) const;

  /// Run the block's threads to their next block barrier. Return true once all threads have ended.
  bool run_to_barrier_in_order();
  bool run_to_barrier_at_random(Random& random);
  bool pass_barrier();

  /// Returns a text such as "threads 0-15 wait at a shuffle (xor 8), threads 16-31 wait at the barrier".
  std::string describe(int begin, int end) const;
  std::string name(size_t t) const;

  Stacks stacks_;
  std::vector<Fiber> fibers_;
  std::vector<Place> places_;
  std::vector<uint32_t> what_;
  std::vector<uint64_t> lanes_;  ///< lanes that each thread waits for
  std::vector<Warp> warps_;
  std::vector<uint8_t> parities_;
  std::vector<uint64_t> values_;
  std::vector<int> order_;
  void (*body_)(const void*) = nullptr;
  std::vector<std::max_align_t> shared_;
  std::exception_ptr thrown_;
  uint8_t stack_fill_ = 0;
  std::vector<size_t> variable_bytes_;  ///< sizes of `variables`
  void fill_shared();
  unsigned barriers_ = 0;
  int start_sync_ = 0;
#ifdef ASSAY_SIMT_TSAN
  int barrier_sync_[2] = {};
  std::vector<int> warp_sync_;
#endif
};

}  // namespace simt::cpu
