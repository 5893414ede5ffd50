// The ranks of one call on the CPU: which rank runs next, and the delayed writes of each rank.
#include "kernels/simt/cpu/executor.h"

#include <sched.h>

#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "kernels/simt/cpu/slot.h"

namespace simt::cpu {
namespace {

struct Held {
  void* to;
  int bytes;
  std::array<unsigned char, 16> data;
};

/// Makes a delayed write, in words of 8 bytes if aligned, so that polling readers never see half a word.
void put(const Held& held) {
  const bool wide = held.bytes == 16 && reinterpret_cast<uintptr_t>(held.to) % 8 == 0;
  for (int at = 0; wide && at < held.bytes; at += 8) {
    uint64_t word;
    std::memcpy(&word, held.data.data() + at, sizeof word);
    __atomic_store_n(reinterpret_cast<uint64_t*>(static_cast<unsigned char*>(held.to) + at), word, __ATOMIC_RELAXED);
  }
  if (wide) return;
  std::memcpy(held.to, held.data.data(), size_t(held.bytes));
}

/// Bytes of a rank's stack. Host code of kernels runs on it, too.
constexpr size_t kRankStack = 512 * 1024;

class RankStacks {
 public:
  std::unique_ptr<Stacks> take(int count) {
    const std::lock_guard lock(mutex_);
    for (auto stacks = free_.begin(); stacks != free_.end(); ++stacks) {
      if ((*stacks)->count() < count) continue;
      std::unique_ptr<Stacks> taken = std::move(*stacks);
      free_.erase(stacks);
      return taken;
    }
    return std::make_unique<Stacks>(count, kRankStack);
  }
  void give_back(std::unique_ptr<Stacks> stacks) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(stacks));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Stacks>> free_;
};
RankStacks& rank_stacks() {
  static RankStacks all;
  return all;
}

class Team;

/// The rank that this OS thread runs. Constant-initialized, because TSan would report initialization by two fibers as a race.
struct Self {
  Team* team = nullptr;
  int rank = 0;
  bool (*lost)(const void* of) = nullptr;
  const void* of = nullptr;
  bool is_late = false;
};
thread_local Self self;

struct Member {
  Team* team = nullptr;
  bool here = false, done = false, waits = false;
  Ready ready = nullptr;
  const void* at = nullptr;
  uint64_t value = 0;
  std::vector<Held> held;
  Fiber fiber;

  bool can_run() const { return here && !done && (!waits || ready(at, value)); }
};

class Team {
 public:
  Team(int size, void (*rank)(void* of, int index), void* of) : members_(size_t(size)), rank_(rank), of_(of) {}

  void run() {
    const Self outside = self;
    Running* const block = running;
    std::unique_ptr<Stacks> stacks = rank_stacks().take(int(members_.size()));
    for (int rank = 0; rank < int(members_.size()); ++rank) {
      Member& member = members_[size_t(rank)];
      member.team = this;
      member.fiber.make(stacks->bottom(rank), stacks->size(rank), &Team::main, &member);
      resume(rank);
    }
    while (turn_ >= 0) resume(turn_);
    rank_stacks().give_back(std::move(stacks));
    running = block;
    self = outside;
  }

  void enter(int rank, uint64_t seed, int straggler) {
    random_.state = seed * 0x9e3779b97f4a7c15u;
    straggler_ = straggler;
    arrive(members_[size_t(rank)]);
    take_turn(rank);
  }
  void leave(int rank) {
    members_[size_t(rank)].done = true;
    pass_on();
    if (turn_ < 0) deliver_all();
  }
  bool wait(int rank, Ready ready, const void* at, uint64_t value) {
    if (hung_) return ready(at, value);
    Member& member = members_[size_t(rank)];
    member.ready = ready, member.at = at, member.value = value, member.waits = true;
    pass_on();
    take_turn(rank);
    member.waits = false;
    return !hung_ || ready(at, value);
  }
  void change(int rank) {
    pass_on();
    take_turn(rank);
  }
  std::vector<Held>& held(int rank) { return members_[size_t(rank)].held; }

 private:
  static void main(void* argument) {
    Member& member = *static_cast<Member*>(argument);
    Team& team = *member.team;
    const int rank = int(&member - team.members_.data());
    team.rank_(team.of_, rank);
    if (!member.here) member.done = true, team.arrive(member);  // the rank ended before it made a RankScope
    for (;;) member.fiber.yield();
  }
  void arrive(Member& member) {
    member.here = true;
    if (++here_ == int(members_.size())) pass_on();
  }
  void resume(int rank) {
    self = {this, rank};
    running = nullptr;
    members_[size_t(rank)].fiber.resume(scheduler_);
  }
  /// Lets other ranks run until it is the turn of `rank`.
  void take_turn(int rank) {
    if (turn_ == rank) return;
    Running* const block = running;
    members_[size_t(rank)].fiber.yield();
    running = block;
  }
  void deliver_all() {
    for (Member& member : members_) {
      for (const Held& held : member.held) put(held);
      member.held.clear();
    }
  }
  /// Chooses the rank that runs next; -1 if all have ended. If no rank can continue, first delivers all delayed writes, since on
  /// hardware a write arrives in the end even without a signal.
  void pass_on() {
    std::vector<int> able = can_run();
    if (able.empty()) deliver_all(), able = can_run();
    if (able.empty()) {
      for (int rank = 0; rank < int(members_.size()); ++rank)
        if (!members_[size_t(rank)].done) able.push_back(rank);
      hung_ = !able.empty();
    }
    turn_ = able.empty() ? -1 : able[random_.below(uint32_t(able.size()))];
  }
  std::vector<int> can_run() const {
    std::vector<int> able;
    for (int rank = 0; rank < int(members_.size()); ++rank)
      if (rank != straggler_ && members_[size_t(rank)].can_run()) able.push_back(rank);
    if (able.empty() && straggler_ >= 0 && members_[size_t(straggler_)].can_run()) able.push_back(straggler_);
    return able;
  }

  std::vector<Member> members_;
  void (*rank_)(void* of, int index);
  void* of_;
  Random random_{0};
  Fiber::Context scheduler_;
  int straggler_ = -1;
  int here_ = 0, turn_ = -1;
  bool hung_ = false;
};

constexpr std::chrono::milliseconds kLate(2);

#ifdef ASSAY_SIMT_TSAN
constexpr bool kTogether = true;
#else
constexpr bool kTogether = false;
#endif

}  // namespace

void run_in_turns(int count, void (*rank)(void* of, int index), void* of) { Team(count, rank, of).run(); }

RankScope::RankScope(int rank, uint64_t seed, int straggler) {
  if (kTogether) {
    self.is_late = rank == straggler;
    return;
  }
  if (!self.team) throw std::logic_error("a RankScope with a seed needs run_in_turns()");
  self.team->enter(rank, seed, straggler);
}

RankScope::RankScope(bool (*lost)(const void* of), const void* of, bool is_late) { self = {nullptr, 0, lost, of, is_late}; }

RankScope::~RankScope() {
  if (self.team) self.team->leave(self.rank);
  self = {};
}

bool wait_until(Ready ready, const void* at, uint64_t value) {
  if (!self.team) {  // all ranks run concurrently
    // The limit counts turns, not seconds, because on a busy machine the peer and these turns slow down together.
    constexpr int kBusyTurns = 16, kTurns = kBusyTurns + 100'000, kBetweenLooks = 128;
    constexpr std::chrono::microseconds kTurn{100};
    for (int turn = 1; !ready(at, value); ++turn) {
      if (turn == kTurns) return false;
      if (turn < kBusyTurns)
        sched_yield();
      else
        std::this_thread::sleep_for(kTurn);
      if (turn % kBetweenLooks == 0 && self.lost && self.lost(self.of))
        return ready(at, value);  // the peer may have signalled before it ended normally
    }
    return true;
  }
  return ready(at, value) || self.team->wait(self.rank, ready, at, value);
}

void may_change_rank() {
  if (self.team) self.team->change(self.rank);
  if (self.is_late) std::this_thread::sleep_for(kLate);
}

void hold_back(void* to, const void* from, int bytes) {
  Held held{to, bytes, {}};
  std::memcpy(held.data.data(), from, size_t(bytes));
  if (self.team)
    self.team->held(self.rank).push_back(held);
  else
    put(held);
}

bool held_back(const void* at, void* into, int bytes) {
  if (!self.team) return false;
  const std::vector<Held>& all = self.team->held(self.rank);
  for (auto held = all.rbegin(); held != all.rend(); ++held)
    if (held->to == at && held->bytes == bytes) return std::memcpy(into, held->data.data(), size_t(bytes)), true;
  return false;
}

void deliver() {
  if (!self.team) return;
  for (const Held& held : self.team->held(self.rank)) put(held);
  self.team->held(self.rank).clear();
}

}  // namespace simt::cpu
