// A share of the cases, for runs that several machines or processes divide between them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/core/case.h"

namespace assay {

struct Shard {
  int index = 1;  ///< from 1
  int count = 1;
  std::string source;  ///< who said so: "--shard", or the variables of the environment

  bool is_whole() const { return count == 1; }
  /// "2/4"
  std::string text() const { return std::to_string(index) + "/" + std::to_string(count); }
  /// A file of this share: "out/v.csv" becomes "out/v.2of4.csv", so that processes do not write over each other.
  std::string path(const std::string& whole) const;
};

/// "I/N" with 1 <= I <= N. Throws UsageError.
Shard parse_shard(const std::string& text);

using Environment = std::function<const char*(const char*)>;

/// What a test runner or a launcher of processes says, whole if none does: GTEST_SHARD_INDEX and GTEST_TOTAL_SHARDS (GoogleTest,
/// Bazel), SLURM_PROCID and SLURM_STEP_NUM_TASKS (Slurm sets the latter in steps only, so a batch script runs whole),
/// OMPI_COMM_WORLD_RANK and OMPI_COMM_WORLD_SIZE (Open MPI). Throws UsageError for one without the other, or no numbers.
Shard shard_of_environment(const Environment& get);

/// Of the ids and their order: shares with the same one are shares of the same cases.
std::string fingerprint(const std::vector<Case>& cases);

/// Every count-th case, from the index-th on. The kinds of cases of a table spread over all shares. `undivided`: those that are in the
/// first share whole; none if it is empty.
std::vector<Case> share_of(std::vector<Case> cases, const Shard& shard, const std::function<bool(const Case&)>& undivided = {});

}  // namespace assay
