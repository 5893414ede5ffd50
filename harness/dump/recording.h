// Recordings: the inputs and outputs of every call of a run, stored so that they can be checked again without the kernels.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "harness/core/call.h"
#include "harness/core/cases.h"
#include "harness/core/expectation.h"
#include "harness/core/tensor.h"
#include "harness/run/run.h"
#include "harness/run/run_case.h"

namespace assay {

/// Suffix of a tensor name in a recording: x_before has the content of x before the call. Only for tensors that the call
/// updated in place.
inline constexpr const char* kBefore = "_before";

/// A verdict of a recorded run. Everything is as in the run, except that its tensors are not compared yet.
struct RecordedVerdict {
  std::string file;  ///< path in the recording's folder; empty: no call produced outputs, and `verdict` is final
  Verdict verdict;
};

/// Identifies the recorded run, so that the gate finds it in a history. All texts are empty in a recording of an older version.
struct RunIdentity {
  std::string id;              ///< run_identity()
  std::string begun;           ///< as in Provenance
  std::string library_digest;  ///< digest of the library's file
  std::string commit;          ///< commit of the kernels' repository
};

/// The run that a recording is part of. It shows whether the recording is a complete run or a shard.
struct RecordedRun {
  Shard shard{};
  std::string cases{};      ///< fingerprint() of the cases that the shards divide between them
  bool once = false;        ///< only one of several cases that differ in warp size alone was run
  std::string ended_by{};   ///< as in RunResult
  RunIdentity identity{};
};

struct Recording {
  std::string folder, backend;
  LibraryInfo library;
  RecordedRun run;
  std::vector<RecordedVerdict> verdicts;  ///< in run order
};

/// Inputs and result of one recorded call.
struct RecordedCall {
  std::vector<HostTensor> inputs;
  CallResult result;
};

/// Writes a recording: FOLDER/<case id>/<kernel>.safetensors during the run, and FOLDER/index.json at its end. A shard writes
/// FOLDER/index.2of3.json, so that several shards can share a folder. A folder without an index is an unfinished run.
class Recorder {
 public:
  /// Throws UsageError if the folder is not writable, or already holds this recording or a shard of a different run.
  Recorder(std::string folder, const Backend& backend, RecordedRun run);

  /// For CaseOptions::record. Thread-safe. Throws std::runtime_error naming a file that cannot be written.
  void write(const Evidence& evidence, const Verdict& verdict);

  /// Writes the index.
  void finish(const RunResult& result, const RunIdentity& identity = {}) const;

 private:
  std::string folder_, backend_;
  LibraryInfo library_;
  RecordedRun run_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::string> files_;  ///< key: case id, kernel name
};

/// Names of the index files (index.json, or index.IofN.json of each shard) in a folder, in shard order.
std::vector<std::string> index_files(const std::string& folder);

/// The readers throw DumpError if the index is missing or damaged, has another version or count, or names files outside FOLDER.
Recording read_index(const std::string& folder, const std::string& index);
void write_index(const Recording& recording);
/// All recordings of a folder: one complete run, or its shards in order. Throws for a folder with both.
std::vector<Recording> read_indexes(const std::string& folder);

/// Reads the tensors of a recorded call. Throws DumpError if the file is missing, damaged or of another verdict.
RecordedCall read_call(const Recording& recording, const RecordedVerdict& recorded);

// Differences between two runs of one case, element by element.

/// A part of the outputs whose codes changed.
struct PartChange {
  std::string part;  ///< label of the part
  const Format* format = nullptr;
  std::array<int64_t, 2> shape{};
  int64_t changed = 0;           ///< number of elements with a different code
  int64_t most_ulps = 0;         ///< largest distance between old and new code in ulp, if both are numbers; 0 between -0 and +0
  std::array<int64_t, 2> at{};   ///< row and column of the first changed element
  uint32_t before = 0, now = 0;  ///< codes of that element

  int64_t elements() const { return shape[0] * shape[1]; }
};

/// The parts in which the outputs of two calls differ. Padding is not compared. Throws std::runtime_error that names a tensor
/// whose format or storage size differs.
std::vector<PartChange> changes(const std::vector<Part>& parts, const std::vector<HostTensor>& before,
                                const std::vector<HostTensor>& now);

}  // namespace assay
