// SIGINT and SIGTERM end a run early, with its reports.
#pragma once

namespace assay {

/// From here on SIGINT and SIGTERM only ask for an end. The second SIGINT ends the process at once, without reports.
void end_on_signals();

/// "SIGINT" or "SIGTERM" once it was asked for; nullptr until then.
const char* ended_by();

/// What a shell calls a process that the signal ended: 130 or 143.
int exit_code_of_ending();

}  // namespace assay
