#include "kernels/simt/cpu/executor.h"

#include <sched.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
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

/// Writes in words of 4 or 8 bytes, so that polling readers never see a torn value.
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

struct Member {
  bool here = false, done = false, waits = false;
  Ready ready = nullptr;
  const void* at = nullptr;
  uint64_t value = 0;
  std::vector<Held> held;
  std::condition_variable turn;

  bool can_run() const { return here && !done && (!waits || ready(at, value)); }
};

class Team {
 public:
  Team(int size, uint64_t seed, int straggler)
      : members_(size_t(size)), random_{seed * 0x9e3779b97f4a7c15u}, straggler_(straggler) {}

  void enter(int rank) {
    std::unique_lock lock(mutex_);
    members_[size_t(rank)].here = true;
    Member* const next = ++here_ == int(members_.size()) ? pass_on() : nullptr;
    take_turn(rank, next, lock);
  }
  /// Returns true if it was the last rank.
  bool leave(int rank) {
    const std::lock_guard lock(mutex_);
    members_[size_t(rank)].done = true;
    if (--here_ > 0) {
      if (Member* const next = pass_on()) next->turn.notify_one();  // under the lock: the last rank destroys the team
      return false;
    }
    deliver_all();
    return true;
  }
  bool wait(int rank, Ready ready, const void* at, uint64_t value) {
    std::unique_lock lock(mutex_);
    if (hung_) return ready(at, value);
    Member& self = members_[size_t(rank)];
    self.ready = ready, self.at = at, self.value = value, self.waits = true;
    take_turn(rank, pass_on(), lock);
    self.waits = false;
    return !hung_ || ready(at, value);
  }
  void change(int rank) {
    std::unique_lock lock(mutex_);
    take_turn(rank, pass_on(), lock);
  }
  std::vector<Held>& held(int rank) { return members_[size_t(rank)].held; }

 private:
  /// Wakes `next`, if any, without the lock, which it would have to wait for; then waits for the turn of this rank.
  void take_turn(int rank, Member* next, std::unique_lock<std::mutex>& lock) {
    Member& self = members_[size_t(rank)];
    if (next != nullptr && next != &self) {
      lock.unlock();
      next->turn.notify_one();
      lock.lock();
    }
    self.turn.wait(lock, [&] { return turn_ == rank; });
  }
  void deliver_all() {
    for (Member& member : members_) {
      for (const Held& held : member.held) put(held);
      member.held.clear();
    }
  }
  /// Chooses the rank that has the next turn, if any. When no rank can continue otherwise, delivers all held-back writes, since
  /// writes arrive in the end even without a signal.
  Member* pass_on() {
    std::vector<int> able = can_run();
    if (able.empty()) deliver_all(), able = can_run();
    if (able.empty()) {
      hung_ = true;
      for (int rank = 0; rank < int(members_.size()); ++rank)
        if (!members_[size_t(rank)].done) able.push_back(rank);
    }
    if (able.empty()) return nullptr;
    turn_ = able[random_.below(uint32_t(able.size()))];
    return &members_[size_t(turn_)];
  }
  std::vector<int> can_run() const {
    std::vector<int> able;
    for (int rank = 0; rank < int(members_.size()); ++rank)
      if (rank != straggler_ && members_[size_t(rank)].can_run()) able.push_back(rank);
    if (able.empty() && straggler_ >= 0 && members_[size_t(straggler_)].can_run()) able.push_back(straggler_);
    return able;
  }

  std::mutex mutex_;
  std::vector<Member> members_;
  Random random_;
  int straggler_;
  int here_ = 0, turn_ = -1;
  bool hung_ = false;
};

std::mutex teams_mutex;
std::map<const void*, std::unique_ptr<Team>>& teams() {
  static std::map<const void*, std::unique_ptr<Team>> all;
  return all;
}

/// State of this OS thread. Constant-initialized, so that TSan never sees one fiber initialize what another reads.
struct Self {
  Team* team = nullptr;
  const void* key = nullptr;
  int rank = 0;
  bool (*lost)(const void* of) = nullptr;
  const void* of = nullptr;
  bool is_late = false;
};
thread_local Self self;
constexpr std::chrono::milliseconds kLate(2);

#ifdef ASSAY_SIMT_TSAN
constexpr bool kTogether = true;
#else
constexpr bool kTogether = false;
#endif

}  // namespace

RankScope::RankScope(const void* key, int rank, int size, uint64_t seed, int straggler) {
  if (kTogether) {
    self.is_late = rank == straggler;
    return;
  }
  {
    const std::lock_guard lock(teams_mutex);
    std::unique_ptr<Team>& team = teams()[key];
    if (!team) team = std::make_unique<Team>(size, seed, straggler);
    self = {team.get(), key, rank};
  }
  self.team->enter(rank);
}

RankScope::RankScope(bool (*lost)(const void* of), const void* of, bool is_late) {
  self = {nullptr, nullptr, 0, lost, of, is_late};
}

RankScope::~RankScope() {
  if (self.team && self.team->leave(self.rank)) {
    const std::lock_guard lock(teams_mutex);
    teams().erase(self.key);
  }
  self = {};
}

bool wait_until(Ready ready, const void* at, uint64_t value) {
  if (!self.team) {  // all ranks run concurrently
    // Turns instead of seconds limit the wait: on a busy machine both the peer and these turns take longer.
    constexpr int kBusyTurns = 16, kTurns = kBusyTurns + 100'000, kBetweenLooks = 128;
    constexpr std::chrono::microseconds kTurn{100};
    for (int turn = 1; !ready(at, value); ++turn) {
      if (turn == kTurns) return false;
      if (turn < kBusyTurns)
        sched_yield();
      else
        std::this_thread::sleep_for(kTurn);
      if (turn % kBetweenLooks == 0 && self.lost && self.lost(self.of))
        return ready(at, value);  // the rank may have signalled before it ended normally
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
