// Processes of one MPI launch, which can hold the ranks of one group.
#pragma once

#include <optional>
#include <string>

#include "harness/core/shard.h"

namespace assay {

struct Launch {
  int index = 0, count = 1;  ///< index of this process, from 0, and number of processes
  std::string job;           ///< unique among the launches on this machine
};

/// Reads OMPI_COMM_WORLD_RANK, OMPI_COMM_WORLD_SIZE, OMPI_COMM_WORLD_LOCAL_SIZE and PMIX_NAMESPACE of Open MPI. Empty unless it
/// started several processes, all on this machine: ranks communicate through its memory.
std::optional<Launch> launch_of_environment(const Environment& get);

}  // namespace assay
