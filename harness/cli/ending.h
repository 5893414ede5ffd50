// SIGINT, SIGTERM and SIGHUP end a run early, with its reports; what a kernel sends is no order but its fault.
#pragma once

namespace assay {

/// From here on SIGINT, SIGTERM and SIGHUP only ask for an end. The second SIGINT ends the process at once, without reports. A signal that
/// came from a worker's session is noted as that worker's (live_workers.h) and not obeyed. SIGTSTP stops the workers too, and SIGCONT lets
/// them go on.
void end_on_signals();

/// "SIGINT", "SIGTERM" or "SIGHUP" once it was asked for; nullptr until then.
const char* ended_by();

/// What a shell calls a process that the signal ended: 130, 143 or 129.
int exit_code_of_ending();

}  // namespace assay
