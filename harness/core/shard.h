// Shards: divides the cases of a run between several machines or processes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/core/case.h"

namespace assay {

struct Shard {
  int index = 1;  ///< counts from 1
  int count = 1;
  std::string source;  ///< where the shard was given: "--shard", or the names of the environment variables

  bool is_whole() const { return count == 1; }
  /// "2/4"
  std::string text() const { return std::to_string(index) + "/" + std::to_string(count); }
  /// Output file of this shard: "out/v.csv" becomes "out/v.2of4.csv", so that processes do not overwrite each other's files.
  std::string path(const std::string& whole) const;
};

/// "I/N" with 1 <= I <= N. Throws UsageError.
Shard parse_shard(const std::string& text);

using Environment = std::function<const char*(const char*)>;

/// The shard that a test runner or an MPI launcher has set in the environment; the whole run if there is none. Reads
/// GTEST_SHARD_INDEX and GTEST_TOTAL_SHARDS (GoogleTest, Bazel), SLURM_PROCID and SLURM_STEP_NUM_TASKS (Slurm sets the latter
/// only in job steps, so a batch script runs everything), and OMPI_COMM_WORLD_RANK and OMPI_COMM_WORLD_SIZE (Open MPI). Throws
/// UsageError for one without the other, or for values that are not numbers.
Shard shard_of_environment(const Environment& get);

/// Hash of the case ids and their order. Equal hashes mean that shards divide the same list.
std::string fingerprint(const std::vector<Case>& cases);

/// Every count-th case, beginning with the index-th, so that each kind of case is spread over all shards. Cases for which
/// `undivided` returns true all go to the first shard; an empty function selects none.
std::vector<Case> share_of(std::vector<Case> cases, const Shard& shard, const std::function<bool(const Case&)>& undivided = {});

}  // namespace assay
