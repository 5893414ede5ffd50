// From suites/<op>/cases/*.csv to the list of cases of a run: expand, validate, select, divide into shards.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/op.h"

namespace assay {

/// Tier of a case table: its file name up to the first '_' or '.', so quick_models.csv belongs to "quick".
std::string tier_of(const std::string& file_name);

/// Expands one table of an op. A cell may list alternatives, `32|64`; a row stands for all combinations of its cells'
/// alternatives. `why` and `blind_to` (globs separated by ';') are not expanded. A column `op` is optional and must name the op.
/// Throws TableError with file, line and column: unknown or missing columns, an empty alternative, values that the op rejects.
std::vector<Case> expand_table(const Op& op, const std::string& text, const std::string& file);

/// All tables of all ops under `root`/suites/<op>/cases, sorted by op (order of `ops`), file name and row. Origins name files
/// relative to `root`. Also throws TableError if two rows expand to one id; the message names both rows.
std::vector<Case> load_cases(std::span<const Op> ops, const std::string& root);

/// Reads a user's table with any file name. A column `op` names the op of each row; without it all rows belong to `op`. Cells in
/// columns that only other ops have must be empty. The tier is "own". Throws TableError; throws UsageError if nothing names the
/// op.
std::vector<Case> load_own_cases(std::span<const Op> ops, const std::string& text, const std::string& file,
                                 const std::string& op);

/// Case selection of the command line; an empty field selects everything.
struct Selection {
  std::vector<std::string> suites{};  ///< "quant_group", "quant_group/quick", or a tier of all ops: "signoff"
  std::vector<std::string> cases{};   ///< globs over ids
  std::string arch{};                 ///< keeps cases with this `arch`, and cases without that column
  std::string warp{};                 ///< keeps cases with this `warp`, and cases without that column

  bool everything() const { return suites.empty() && cases.empty() && arch.empty() && warp.empty(); }
};

/// The selected cases, in the order given. Throws UsageError with similar names if a suite or tier does not exist.
std::vector<Case> select_cases(std::vector<Case> cases, const Selection& selection);

// Shards: the cases of a run, divided between several machines or processes.

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

using EnvironmentReader = std::function<const char*(const char*)>;

/// The shard that a test runner or an MPI launcher has set in the environment; the whole run if there is none. Reads
/// GTEST_SHARD_INDEX and GTEST_TOTAL_SHARDS (GoogleTest, Bazel), SLURM_PROCID and SLURM_STEP_NUM_TASKS (Slurm sets the latter
/// only in job steps, so a batch script runs everything), and OMPI_COMM_WORLD_RANK and OMPI_COMM_WORLD_SIZE (Open MPI). Throws
/// UsageError for a count without an index, or for values that are not numbers.
Shard shard_of_environment(const EnvironmentReader& get);

/// Hash of the case ids and their order. Two shards with equal hashes divide the same list of cases.
std::string fingerprint(const std::vector<Case>& cases);

/// Every count-th case, beginning with the index-th. So similar cases, which are neighbours in the list, go to different shards.
/// The first shard also gets all cases for which `undivided` returns true; an empty function returns true for none.
std::vector<Case> share_of(std::vector<Case> cases, const Shard& shard, const std::function<bool(const Case&)>& undivided = {});

}  // namespace assay
