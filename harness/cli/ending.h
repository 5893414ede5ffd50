// SIGINT, SIGTERM and SIGHUP end a run early but with reports. Such a signal from a kernel is a fault of the kernel.
#pragma once

namespace assay {

/// Installs handlers. SIGINT, SIGTERM and SIGHUP only request an end; a second SIGINT ends the process at once, without reports.
/// A signal from a worker's session is recorded for that worker (live_workers.h) and does not end the run. SIGTSTP also stops the
/// workers, SIGCONT continues them.
void end_on_signals();

/// "SIGINT", "SIGTERM" or "SIGHUP" once an end was requested; otherwise nullptr.
const char* ended_by();

/// Exit code that a shell reports for a process ended by the signal: 130, 143 or 129.
int exit_code_of_ending();

}  // namespace assay
