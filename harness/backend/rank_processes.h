// Processes of one launch that hold ranks together: the first one asks, the others call their part of a library.
#pragma once

#include <string>

#include "harness/backend/launch.h"
#include "harness/backend/worker.h"

namespace assay {

/// In the first process: the same back end, but that calls of several ranks are made by all processes of the launch, each in a
/// worker of its own. One that dies there ends its case; the next call has a new worker. One that did not come within a minute,
/// or that left, breaks every call of a rank of its.
Backend with_ranks_in_processes(Backend backend, const Launch& launch, const WorkerOptions& options);

/// In every other process: makes the calls that the first one asks for, until that one ends. Throws std::runtime_error if it is
/// not there within a minute, LibraryError as open_in_worker().
void serve_ranks(const Launch& launch, const std::string& library, const WorkerOptions& options);

}  // namespace assay
