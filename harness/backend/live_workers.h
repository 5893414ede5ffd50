// The worker processes of this one that are alive, for signal handlers: everything here may be called from one.
#pragma once

#include <sys/types.h>

#include <vector>

namespace assay {

void add_live_worker(pid_t worker);
void remove_live_worker(pid_t worker);

/// Not for signal handlers.
std::vector<pid_t> live_workers();

/// Sends the signal to every live worker and what it started in its session's first process group.
void signal_live_workers(int signal);

/// The live worker in whose session a process is, 0 if there is none.
pid_t worker_of(pid_t process);

/// A signal that came from a worker's session: a kernel sent it, and it is its fault and no order. It is kept until
/// taken; 0: none came.
void note_signal_of(pid_t worker, int signal);
int take_signal_of(pid_t worker);

}  // namespace assay
