// The live worker processes of this process. All functions are async-signal-safe unless noted.
#pragma once

#include <sys/types.h>

#include <vector>

namespace assay {

void add_live_worker(pid_t worker);
void remove_live_worker(pid_t worker);

/// Not async-signal-safe.
std::vector<pid_t> live_workers();

/// Sends the signal to every live worker and to the processes in the worker's initial process group.
void signal_live_workers(int signal);

/// The live worker whose session a process belongs to; 0 if there is none.
pid_t worker_of(pid_t process);

/// note_signal_of() stores a signal sent from a worker's session: the kernel misbehaved, and the signal is not a request to end
/// the run. take_signal_of() returns it and clears it; 0 means none came.
void note_signal_of(pid_t worker, int signal);
int take_signal_of(pid_t worker);

}  // namespace assay
