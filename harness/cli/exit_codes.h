// Converts errors to a message and an exit code (docs/reference/commands.md lists the codes).
#pragma once

#include <functional>

namespace assay {

/// Runs a verb. Returns 2 for a wrong command line, table, dump or library; 3 for an error of the machine or of this program,
/// which says nothing about a kernel; 77 for a missing device.
int guarded(const std::function<int()>& verb);

/// Flushes stdout. Returns `code`, or the code for lost output: a verdict that nobody can read is worthless.
int delivered(int code);

/// Call it first. Opens descriptors 0, 1 and 2 if they are closed; otherwise the next opened file would get that number and
/// receive the program's output.
void hold_standard_descriptors();

}  // namespace assay
