// How the program ends: what went wrong in words, and as an exit code (product.md).
#pragma once

#include <functional>

namespace assay {

/// Runs a verb. A wrong command line, table, dump or library is 2; what the machine or this program itself did wrong is 3, since
/// it says nothing about a kernel; a missing device is 77.
int guarded(const std::function<int()>& verb);

/// What was printed must have arrived: a verdict that nobody can read is none. Returns the code, or that output was lost.
int delivered(int code);

/// A closed descriptor 0, 1 or 2 would become the next file that is opened, and what is printed would land in it. Call it first.
void hold_standard_descriptors();

}  // namespace assay
