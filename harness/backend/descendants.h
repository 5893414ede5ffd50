// Finds and ends the descendants of a process, such as processes that a kernel started.
#pragma once

#include <sys/types.h>

#include <mutex>
#include <vector>

namespace assay {

/// All descendants of `root` according to /proc.
std::vector<pid_t> descendants_of(pid_t root);

/// Sends SIGKILL to all descendants of `root`, except `spared` and their descendants, until none is left. Returns how many there
/// were.
int end_descendants(pid_t root, const std::vector<pid_t>& spared = {});

/// Makes this process the parent of orphaned descendants, so that end_strays() finds them in any session. Children that exist
/// already are never ended.
void adopt_orphans();

/// Hold it from the start of a worker until the worker is registered as live.
std::mutex& children_mutex();

/// If this process adopts orphans: ends children that are not live workers (live_workers.h), i.e. leftovers of ended workers.
int end_strays();

}  // namespace assay
