// Runs grids on the CPU: the scheduler of one block's fibers, error messages for threads that wait at different places, and the
// loop over a grid's blocks.
#include "kernels/simt/cpu/executor.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include "kernels/simt/cpu/slot.h"

namespace simt::cpu {

namespace {

/// Returns the running function's callers in the kernel's library, innermost first: "libmine.so+0x11a9 <- +0x88". Each offset is a
/// return address minus one, from which the harness finds the source line.
std::string callers() {
  constexpr int kMostFrames = 16, kMostNamed = 6;
  void* frames[kMostFrames];
  const int count = ::backtrace(frames, kMostFrames);
  Dl_info own, info;
  if (::dladdr(reinterpret_cast<void*>(&refuse_address), &own) == 0 || own.dli_fname == nullptr) return "";
  const char* const slash = strrchr(own.dli_fname, '/');
  std::string text;
  int named = 0;
  for (int i = 2; i < count && named < kMostNamed; ++i) {  // skips this function and its caller
    if (::dladdr(frames[i], &info) == 0 || info.dli_fbase != own.dli_fbase) continue;
    char offset[32];
    snprintf(offset, sizeof offset, "+0x%zx", size_t(static_cast<char*>(frames[i]) - static_cast<char*>(own.dli_fbase)) - 1);
    text += (named++ == 0 ? std::string(slash != nullptr ? slash + 1 : own.dli_fname) : " <- ") + offset;
  }
  return text;
}

}  // namespace

void refuse_address(const char* access, const void* at, int bytes) {
  const auto address = reinterpret_cast<uintptr_t>(at);
  char place[32];
  snprintf(place, sizeof place, "0x%llx", static_cast<unsigned long long>(address));
  std::string text = std::string("a ") + access + " of " + std::to_string(bytes) + " bytes at address " + place + ", " +
                     std::to_string(address % uintptr_t(bytes)) + " bytes past a multiple of " + std::to_string(bytes);
  if (running != nullptr)
    text += ", by block " + std::to_string(running->block) + ", thread " + std::to_string(running->thread);
  if (const std::string code = callers(); !code.empty()) text += ", in " + code;
  throw Misaligned(text);
}

Slot::Slot(int thread_count, int lanes)
    : stacks_(thread_count),
      fibers_(size_t(thread_count)),
      places_(size_t(thread_count)),
      what_(size_t(thread_count)),
      lanes_(size_t(thread_count)),
      warps_(size_t(thread_count / lanes)),
      parities_(size_t(thread_count)),
      values_(size_t(thread_count) * 2),
      order_(size_t(lanes)) {
  threads = thread_count;
  warp = lanes;
  for (Warp& w : warps_) w.ready = all_lanes();
  parity = parities_.data();
  slots[0] = reinterpret_cast<std::byte*>(values_.data());
  slots[1] = reinterpret_cast<std::byte*>(values_.data() + threads);
  std::iota(order_.begin(), order_.end(), 0);
  for (int t = 0; t < threads; ++t) fibers_[size_t(t)].make(stacks_.bottom(t), stacks_.size(t), &Slot::thread_main, this);
#ifdef ASSAY_SIMT_TSAN
  warp_sync_.resize(size_t(threads / warp) * 2);
#endif
}

Slot::~Slot() {
  for (void* at : variables) ::operator delete(at, std::align_val_t(kVariableAlignment));
}

void Slot::run(int64_t index, const Launch& grid, void (*body)(const void*), const void* call, size_t shared_bytes) {
  block = index;
  blocks = grid.blocks;
  body_ = body;
  kernel = call;
  stack_fill_ = uint8_t(grid.schedule_seed >> Launch::kSeedBits);
  shared_.resize((shared_bytes + sizeof(std::max_align_t) - 1) / sizeof(std::max_align_t));
  shared = reinterpret_cast<std::byte*>(shared_.data());
  if (stack_fill_ != 0) fill_shared();
  running = this;
  publish(&start_sync_);
  try {
    if (index % 64 == 0) {
      Random random{(grid.schedule_seed & Launch::kSeedMask) * 0x9e3779b97f4a7c15u + uint64_t(index)};
      while (!run_to_barrier_at_random(random)) {
      }
    } else {
      while (!run_to_barrier_in_order()) {
      }
    }
  } catch (...) {
    collect_everywhere();
    throw;
  }
  collect(&start_sync_);
  running = nullptr;
}

/// After a block was aborted: tells TSan that all accesses of its threads happened before what this OS thread does next.
void Slot::collect_everywhere() {
  collect(&start_sync_);
#ifdef ASSAY_SIMT_TSAN
  for (int& sync : barrier_sync_) collect(&sync);
  for (int& sync : warp_sync_) collect(&sync);
#endif
}

/// Fills memory with words made from `byte`. All words differ, because equal values cancel in a norm; their magnitudes are
/// similar.
static void fill_words(void* at, size_t bytes, uint8_t byte) {
  for (uint32_t i = 0; i < bytes / 4; ++i) {
    const uint32_t word = uint32_t{byte} << 24 | (((i * 2654435761u >> 9) ^ (uint32_t{byte} * 0x10101u)) & 0x7fffffu);
    memcpy(static_cast<std::byte*>(at) + size_t{i} * 4, &word, 4);
  }
}

void Slot::fill_shared() {
  fill_words(shared, shared_.size() * sizeof(shared_[0]), stack_fill_);
  for (size_t i = 0; i < variable_bytes_.size(); ++i)
    if (variables[i] != nullptr) fill_words(variables[i], variable_bytes_[i], stack_fill_);
}

/// Fills the part of this stack that the kernel's frames will use.
[[gnu::noinline]] static void fill_stack(uint8_t byte) {
  std::array<uint32_t, 4096> below;
  fill_words(below.data(), sizeof below, byte);
  asm volatile("" : : "r"(below.data()) : "memory");  // the compiler keeps the bytes
}

void Slot::thread_main(void* argument) {
  Slot& slot = *static_cast<Slot*>(argument);
  for (;;) {
    collect(&slot.start_sync_);
    try {
      if (slot.stack_fill_ != 0) fill_stack(slot.stack_fill_);
      slot.body_(slot.kernel);
    } catch (...) {
      if (!slot.thrown_) slot.thrown_ = std::current_exception();
    }
    const size_t t = size_t(slot.thread);
    publish(&slot.start_sync_);
    slot.places_[t] = Place::kGone;
    slot.leave(t);
  }
}

/// Lets each runnable lane of the warp run to its next wait. Returns true if the warp must run again, false if its lanes are at
/// the barrier or have ended.
bool Slot::step(int warp_index) {
  const int first = warp_index * warp;
  Warp& state = warps_[size_t(warp_index)];
  const uint64_t ready = state.ready;
  turn_.clear();
  for (const int lane : order_)
    if (!state.parted || ready >> lane & 1) turn_.push_back(first + lane);
  if (!turn_.empty()) {
    next_ = 1;
    thread = turn_.front();
    fibers_[size_t(thread)].resume(scheduler_);
  }
  unsigned seen = 0;
  for (const int t : turn_) seen |= bit(places_[size_t(t)]);
  if (thrown_) std::rethrow_exception(thrown_);
  if (ready == all_lanes() && !(seen & bit(Place::kWarp))) return false;
  const uint32_t* what = &what_[size_t(first)];
  const bool together = !state.parted && seen == bit(Place::kWarp) && !(*what & kSubset) &&
                        std::all_of(what, what + warp, [what](uint32_t w) { return w == *what; });
  return together || regroup(warp_index);
}

/// For a warp whose lanes wait at several places: marks as ready each lane whose exchange partners have all arrived.
bool Slot::regroup(int warp_index) {
  const int first = warp_index * warp;
  Warp& state = warps_[size_t(warp_index)];
  uint64_t ready = 0, waiting = 0;
  for (int lane = 0; lane < warp; ++lane) {
    const size_t t = size_t(first + lane);
    if (places_[t] != Place::kWarp) continue;
    waiting |= uint64_t{1} << lane;
    if (!partners_wait(first, t)) continue;
    ready |= uint64_t{1} << lane;
    // A lane of parity 1 has its value in slot 1. After a move of this value to slot 0, all lanes use the same slot. The move is
    // safe, because all lanes have read the previous values.
    if (parities_[t] != 0) {
      const size_t bytes = what_[t] & 0xff;
      memcpy(slots[0] + t * bytes, slots[1] + t * bytes, bytes);
      parities_[t] = 0;
    }
  }
  if (waiting != 0 && ready == 0)
    throw Divergence("block " + std::to_string(block) + ", warp " + std::to_string(warp_index) + ": " +
                     describe(first, first + warp));
  state.parted = ready != all_lanes() && ready != 0;
  state.ready = ready == 0 ? all_lanes() : ready;
  return ready != 0;
}

bool Slot::partners_wait(int first, size_t t) const {
  for (int lane = 0; lane < warp; ++lane) {
    const size_t other = size_t(first + lane);
    if (!(lanes_of(t) >> lane & 1)) continue;
    if (places_[other] != Place::kWarp || !same_wait(other, t)) return false;
  }
  return true;
}

bool Slot::run_to_barrier_in_order() {
  for (int w = 0; w < threads / warp; ++w)
    while (step(w)) {
    }
  return pass_barrier();
}

bool Slot::run_to_barrier_at_random(Random& random) {
  std::vector<int> live(size_t(threads / warp));
  std::iota(live.begin(), live.end(), 0);
  while (!live.empty()) {
    for (size_t i = order_.size() - 1; i > 0; --i) std::swap(order_[i], order_[random.below(uint32_t(i) + 1)]);
    const size_t pick = random.below(uint32_t(live.size()));
    if (!step(live[pick])) live.erase(live.begin() + long(pick));
  }
  std::iota(order_.begin(), order_.end(), 0);
  return pass_barrier();
}

bool Slot::pass_barrier() {
  const auto gone = std::count(places_.begin(), places_.end(), Place::kGone);
  if (gone != 0 && gone != threads)
    throw Divergence("block " + std::to_string(block) + ": not every thread reached the barrier: " + describe(0, threads));
  ++barriers_;
  return gone != 0;
}

// Error messages that say where threads wait.

std::string Slot::describe(int begin, int end) const {
  std::string text;
  for (int t = begin; t < end;) {
    int last = t;
    while (last + 1 < end && places_[size_t(last) + 1] == places_[size_t(t)] &&
           (places_[size_t(t)] != Place::kWarp || same_wait(size_t(last) + 1, size_t(t))))
      ++last;
    text += text.empty() ? "threads " : ", threads ";
    text += std::to_string(t) + "-" + std::to_string(last) + " " + name(size_t(t));
    t = last + 1;
  }
  return text;
}

std::string Slot::name(size_t t) const {
  if (places_[t] == Place::kBlock) return "wait at the barrier";
  if (places_[t] == Place::kGone) return "have ended";
  const std::string detail = std::to_string(what_[t] >> 8 & 0xff);
  std::string text = "wait at ";
  switch (what_[t] >> 8 & 0xf00) {
    case kReduce:
      text += "a reduction over " + detail + " lanes";
      break;
    case kIndexed:
      text += "a shuffle";
      break;
    case kVote:
      text += "a vote";
      break;
    case kWarpSync:
      text += "the warp's barrier";
      break;
    case kMatrix:
      text += "a tensor core instruction";
      break;
    default:
      text += "a shuffle (xor " + detail + ")";
  }
  if (!(what_[t] & kSubset)) return text;
  char mask[32];
  snprintf(mask, sizeof mask, " with mask 0x%llx", static_cast<unsigned long long>(lanes_[t]));
  return text + mask;
}

__thread Running* running = nullptr;

void* make_variable(Running& block, size_t number, size_t bytes) {
  if (block.variables.size() <= number) block.variables.resize(number + 1);
  void* const at = ::operator new(bytes, std::align_val_t(kVariableAlignment));
  block.variables[number] = memset(at, 0, bytes);
  static_cast<Slot&>(block).note_variable(number, bytes);
  return at;
}

void Slot::note_variable(size_t number, size_t bytes) {
  if (variable_bytes_.size() <= number) variable_bytes_.resize(number + 1);
  variable_bytes_[number] = bytes;
  if (stack_fill_ != 0) fill_words(variables[number], bytes, stack_fill_);
}

namespace {

/// Keeps slots for later launches. A fiber that waits for its next block may continue on another OS thread.
class Pool {
 public:
  std::unique_ptr<Slot> take(int threads, int warp) {
    const std::lock_guard lock(mutex_);
    for (auto slot = free_.rbegin(); slot != free_.rend(); ++slot)  // the slot used last: its stacks are still in the cache
      if (*slot && (*slot)->fits(threads, warp)) return std::move(*slot);
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
  return 1;  // one OS thread, because in this build shared variables are plain globals
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
  // If the lanes have met again after they diverged, regroup() has moved their values to the same slot.
  return reinterpret_cast<const uint64_t*>(slot.slots[parity]);
}

void run(const Launch& grid, void (*body)(const void*), const void* kernel, size_t shared_bytes) {
  if (grid.threads <= 0 || grid.threads % grid.warp != 0) throw std::invalid_argument("a block must consist of whole warps");
  if (grid.blocks <= 0) throw std::invalid_argument("a grid must have at least one block");  // a GPU refuses such a launch, too
  std::atomic<int64_t> next{0};
  std::exception_ptr thrown;
  std::mutex mutex;
  const auto work = [&] {
    try {
      auto slot = pool().take(grid.threads, grid.warp);
      for (int64_t b; (b = next++) < grid.blocks;) slot->run(b, grid, body, kernel, shared_bytes);
      pool().give_back(std::move(slot));  // not after an exception, because the slot's fibers are stuck inside the kernel
    } catch (...) {
      running = nullptr;
      next = grid.blocks;
      const std::lock_guard lock(mutex);
      if (!thrown) thrown = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  // with fewer than 8 blocks per worker, the work would be done before a new OS thread has started
  const int64_t workers = std::min(cores(), grid.blocks / 8 + 1);
  for (int64_t i = 1; i < workers; ++i) others.emplace_back(work);
  work();
  for (auto& thread : others) thread.join();
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace simt::cpu
