#include "kernels/simt/cpu/slot.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace simt::cpu {

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

void Slot::run(int64_t index, const Launch& grid, void (*body)(const void*), const void* call, size_t shared_bytes) {
  block = index;
  blocks = grid.blocks;
  body_ = body;
  kernel = call;
  shared_.resize((shared_bytes + sizeof(std::max_align_t) - 1) / sizeof(std::max_align_t));
  shared = reinterpret_cast<std::byte*>(shared_.data());
  running = this;
  publish(&start_sync_);
  try {
    if (index % 64 == 0) {
      Random random{grid.schedule_seed * 0x9e3779b97f4a7c15u + uint64_t(index)};
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

/// After a block that broke off: what its threads did up to where they hang is over.
void Slot::collect_everywhere() {
  collect(&start_sync_);
#ifdef ASSAY_SIMT_TSAN
  for (int& sync : barrier_sync_) collect(&sync);
  for (int& sync : warp_sync_) collect(&sync);
#endif
}

void Slot::thread_main(void* argument) {
  Slot& slot = *static_cast<Slot*>(argument);
  for (;;) {
    collect(&slot.start_sync_);
    try {
      slot.body_(slot.kernel);
    } catch (...) {
      if (!slot.thrown_) slot.thrown_ = std::current_exception();
    }
    const size_t t = size_t(slot.thread);
    publish(&slot.start_sync_);
    slot.places_[t] = Place::kGone;
    slot.fibers_[t].yield();
  }
}

/// One turn for each lane of the warp that can go on. True if the warp has to be called again, false if its lanes are at the
/// barrier or gone.
bool Slot::step(int warp_index) {
  const int first = warp_index * warp;
  Warp& state = warps_[size_t(warp_index)];
  const uint64_t ready = state.ready;
  unsigned seen = 0;
  for (const int lane : order_) {
    if (state.parted && !(ready >> lane & 1)) continue;
    thread = first + lane;
    fibers_[size_t(thread)].resume();
    seen |= bit(places_[size_t(thread)]);
  }
  if (thrown_) std::rethrow_exception(thrown_);
  if (ready == all_lanes() && !(seen & bit(Place::kWarp))) return false;
  const uint32_t* what = &what_[size_t(first)];
  const bool together = !state.parted && seen == bit(Place::kWarp) && !(*what & kSubset) &&
                        std::all_of(what, what + warp, [what](uint32_t w) { return w == *what; });
  return together || regroup(warp_index);
}

/// For a warp whose lanes wait at several places: lets go on those whose partners have all arrived.
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
    // Lanes that have exchanged more often than others are brought back to the same slots; all have read the last values.
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

}  // namespace simt::cpu
