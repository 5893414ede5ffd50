// What a worker process may take, and when it ends though nobody tells it to.
#pragma once

#include <cstdint>

namespace assay {

/// Lets this process allocate so many bytes more than it has (0: half of what the machine or its container has), and makes it the
/// first to go where the system runs out of memory. A kernel that asks for more gets none.
void limit_memory(uint64_t bytes);

/// Ends this process and what it started soon after the other side of the socket has closed, whatever its main thread does: a worker that
/// hangs must not outlive its harness. PR_SET_PDEATHSIG would not do, for it fires when the thread ends that started the process.
void end_with_other_side(int socket);

/// Signals that end a run (kSignalsThatEndARun) end this process only if itself or a process of its session sent them.
void obey_own_signals_alone();

}  // namespace assay
