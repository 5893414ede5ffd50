// Limits of a worker process, and when it ends by itself.
#pragma once

#include <cstdint>

namespace assay {

/// Lets this process allocate `bytes` more than it has (0: half of the memory of the machine or container); larger requests fail.
/// Also makes it the first process that the system kills when memory runs out.
void limit_memory(uint64_t bytes);

/// Ends this process and everything it started soon after the other side closes the socket, whatever the main thread does: a
/// hanging worker must not outlive its harness. PR_SET_PDEATHSIG is no alternative, since it fires when the thread that started
/// the process ends.
void end_with_other_side(int socket);

/// Signals that end a run (kSignalsThatEndARun) end this process only if it or a process of its session sent them.
void obey_own_signals_alone();

}  // namespace assay
