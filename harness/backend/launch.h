// Processes that a launcher started together, and that can hold the ranks of one group.
#pragma once

#include <optional>
#include <string>

#include "harness/core/shard.h"

namespace assay {

struct Launch {
  int index = 0, count = 1;  ///< of this process, from 0, and of all
  std::string job;           ///< a name that other launches on this machine do not have
};

/// What Open MPI says with OMPI_COMM_WORLD_RANK, OMPI_COMM_WORLD_SIZE, OMPI_COMM_WORLD_LOCAL_SIZE and PMIX_NAMESPACE. None unless
/// it started several processes, all on this machine: ranks meet in its memory.
std::optional<Launch> launch_of_environment(const Environment& get);

}  // namespace assay
