// Processes that a process started, and those that these started: what a kernel leaves behind is found by its parents.
#pragma once

#include <sys/types.h>

#include <mutex>
#include <vector>

namespace assay {

/// Children of `root`, their children and so on, as /proc says now.
std::vector<pid_t> descendants_of(pid_t root);

/// SIGKILL to all descendants of `root` but those `spared` and their descendants, until there are no more. Returns how many there were.
int end_descendants(pid_t root, const std::vector<pid_t>& spared = {});

/// From here on a process whose parent ended becomes a child of this one, so that end_strays() finds it wherever its session is.
/// Children that are there already are left alone for ever.
void adopt_orphans();

/// Held while a worker is started, until it is among the live ones.
std::mutex& children_mutex();

/// Ends children of this process that are no live workers (live_workers.h), if it adopts orphans: what a worker that ended left behind.
int end_strays();

}  // namespace assay
