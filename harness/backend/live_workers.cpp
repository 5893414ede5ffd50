#include "harness/backend/live_workers.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>

namespace assay {
namespace {

struct Slot {
  std::atomic<pid_t> worker{0};
  std::atomic<int> signal{0};
};

/// Enough for sixteen kernels and for ranks.
std::array<Slot, 64> slots;
static_assert(std::atomic<pid_t>::is_always_lock_free, "a handler may not wait for a lock");

Slot* slot_of(pid_t worker) {
  for (Slot& slot : slots)
    if (slot.worker == worker) return &slot;
  return nullptr;
}

/// Delivers a signal that is pending for the process to this thread; changing the signal mask makes the kernel check.
void take_pending_signals() {
  sigset_t other, before;
  ::sigemptyset(&other);
  ::sigaddset(&other, SIGWINCH);
  ::pthread_sigmask(SIG_BLOCK, &other, &before);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

void add_live_worker(pid_t worker) {
  for (Slot& slot : slots) {
    pid_t none = 0;
    if (!slot.worker.compare_exchange_strong(none, worker)) continue;
    slot.signal = 0;
    return;
  }
}

void remove_live_worker(pid_t worker) {
  if (Slot* const slot = slot_of(worker)) slot->worker = 0;
}

std::vector<pid_t> live_workers() {
  std::vector<pid_t> all;
  for (const Slot& slot : slots)
    if (const pid_t worker = slot.worker; worker > 0) all.push_back(worker);
  return all;
}

void signal_live_workers(int signal) {
  for (const Slot& slot : slots)
    if (const pid_t worker = slot.worker; worker > 0) ::kill(-worker, signal);
}

pid_t worker_of(pid_t process) {
  if (process <= 0) return 0;
  if (slot_of(process) != nullptr) return process;
  const pid_t session = ::getsid(process);
  return session > 0 && slot_of(session) != nullptr ? session : 0;
}

void note_signal_of(pid_t worker, int signal) {
  if (Slot* const slot = slot_of(worker)) slot->signal = signal;
}

int take_signal_of(pid_t worker) {
  take_pending_signals();
  Slot* const slot = slot_of(worker);
  return slot == nullptr ? 0 : slot->signal.exchange(0);
}

}  // namespace assay
