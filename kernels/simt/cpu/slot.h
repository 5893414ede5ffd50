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
    for (int t = 0; t < threads; ++t) mprotect(data_ + size_t(t) * stride, page(), PROT_NONE);
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
  std::byte* bottom(int thread) const { return data_ + size_t(thread) * stride_ + page(); }
  /// Stacks start at different offsets within a page, because stacks at equal offsets would compete for the same cache sets.
  size_t size(int thread) const { return stride_ - page() - size_t(thread) * 320 % 4096; }

 private:
  static size_t page() {
    static const auto bytes = size_t(sysconf(_SC_PAGESIZE));
    return bytes;
  }
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
  /// A suspended flow of control: of a fiber, or of the scheduler that resumes fibers.
  struct Context {
    boost::context::detail::fcontext_t at = nullptr;
#ifdef ASSAY_SIMT_ASAN
    const void* stack = nullptr;
    size_t stack_bytes = 0;
#endif
#ifdef ASSAY_SIMT_TSAN
    void* tsan = nullptr;
#endif
  };

  Fiber() = default;
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
#ifdef ASSAY_SIMT_TSAN
  ~Fiber() {
    if (self_.tsan) __tsan_destroy_fiber(self_.tsan);
  }
#endif

  /// main(argument) starts at the first resume() and must never return.
  void make(std::byte* stack, size_t bytes, void (*main)(void*), void* argument) {
    main_ = main;
    argument_ = argument;
#ifdef ASSAY_SIMT_ASAN
    __asan_unpoison_memory_region(stack, bytes);  // frames of an earlier fiber, which never returned
    self_.stack = stack;
    self_.stack_bytes = bytes;
#endif
    self_.at = boost::context::detail::make_fcontext(stack + bytes, bytes, &Fiber::enter);
#ifdef ASSAY_SIMT_TSAN
    self_.tsan = __tsan_create_fiber(0);
#endif
  }

  /// Called by the scheduler: runs the fiber until it, or the last fiber of a series of hand_over(), calls yield(). Meanwhile,
  /// `scheduler` holds the caller's context.
  void resume(Context& scheduler) {
    scheduler_ = &scheduler;
#ifdef ASSAY_SIMT_TSAN
    scheduler.tsan = __tsan_get_current_fiber();
#endif
    jump(scheduler, self_, this);
  }
  /// Called in the fiber: `next` continues, with the same scheduler. It saves the two switches through the scheduler.
  void hand_over(Fiber& next) {
    next.scheduler_ = scheduler_;
    jump(self_, next.self_, &next);
  }
  /// Called in the fiber: returns to the scheduler. When the fiber is resumed, it continues after this call.
  void yield() { jump(self_, *scheduler_, nullptr); }

 private:
  /// What the flow of control that continues must know about the one that it replaces.
  struct Departure {
    Context* left;
    Fiber* next;
  };

  static void jump(Context& from, Context& to, Fiber* next) {
    Departure departure{&from, next};
    void* fake_stack = nullptr;
#ifdef ASSAY_SIMT_ASAN
    __sanitizer_start_switch_fiber(&fake_stack, to.stack, to.stack_bytes);
#endif
#ifdef ASSAY_SIMT_TSAN
    __tsan_switch_to_fiber(to.tsan, __tsan_switch_to_fiber_no_sync);
#endif
    arrive(boost::context::detail::jump_fcontext(to.at, &departure), fake_stack);
  }
  /// Stores where the flow of control that was left can continue. Returns the fiber that runs now.
  static Fiber* arrive(boost::context::detail::transfer_t from, [[maybe_unused]] void* fake_stack) {
    const Departure& departure = *static_cast<Departure*>(from.data);
    departure.left->at = from.fctx;
#ifdef ASSAY_SIMT_ASAN
    __sanitizer_finish_switch_fiber(fake_stack, &departure.left->stack, &departure.left->stack_bytes);
#endif
    return departure.next;
  }
  static void enter(boost::context::detail::transfer_t from) {
    Fiber& fiber = *arrive(from, nullptr);
    fiber.main_(fiber.argument_);
  }

  Context self_;
  Context* scheduler_ = nullptr;
  void (*main_)(void*) = nullptr;
  void* argument_ = nullptr;
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
    leave(t);
    collect(sync);
    if (also) collect(also);
  }

 private:
  /// Lets the next lane of the warp's turn run, or the scheduler after the last one.
  void leave(size_t t) {
    if (next_ == turn_.size()) return fibers_[t].yield();
    thread = turn_[next_++];
    fibers_[t].hand_over(fibers_[size_t(thread)]);
  }

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
  std::vector<int> turn_;         ///< threads of a warp that run one after the other before the scheduler continues
  size_t next_ = 0;               ///< position in turn_ of the thread that runs next
  Fiber::Context scheduler_;
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
