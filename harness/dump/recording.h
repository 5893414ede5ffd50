// Runs on disk: what every kernel was given and what it returned, to be judged again without it.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "harness/core/call.h"
#include "harness/core/shard.h"
#include "harness/run/run.h"
#include "harness/run/run_case.h"

namespace assay {

/// One verdict of a recorded run. Its tensors were not judged yet; everything else is as the run said it.
struct RecordedVerdict {
  std::string file;  ///< relative to the recording; empty: no call gave outputs, and `verdict` stands as it is
  Verdict verdict;
};

/// Of what a recording is a part, so that a judge can tell a share from the whole.
struct RecordedRun {
  Shard shard{};
  std::string cases{};      ///< fingerprint() of the cases that all shares divide
  bool once = false;        ///< cases that differ in warp alone were run once
  std::string ended_by{};   ///< as RunResult's
};

struct Recording {
  std::string folder, backend;
  LibraryInfo library;
  RecordedRun run;
  std::vector<RecordedVerdict> verdicts;  ///< in the order of the run
};

/// Inputs and answer of one recorded call.
struct RecordedCall {
  std::vector<HostTensor> inputs;
  CallResult result;
};

/// Writes a recording: FOLDER/<case id>/<kernel>.safetensors while the run goes on, FOLDER/index.json at its end, or
/// FOLDER/index.2of3.json of a share: several shares go into one folder. A folder without an index is a run that did not end.
class Recorder {
 public:
  /// Throws UsageError if the folder holds this recording or one that is no other share of the same run, or cannot be written.
  Recorder(std::string folder, const Backend& backend, RecordedRun run);

  /// For CaseOptions::record; may be called from several threads. Throws std::runtime_error naming a file that cannot be written.
  void write(const Evidence& evidence, const Verdict& verdict);

  /// Writes the index.
  void finish(const RunResult& result) const;

 private:
  std::string folder_, backend_;
  LibraryInfo library_;
  RecordedRun run_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::string> files_;  ///< by case and kernel
};

/// recording_index.cpp. Names of the index files in a folder, in the order of the shares.
std::vector<std::string> index_files(const std::string& folder);
Recording read_index(const std::string& folder, const std::string& index);

/// Reading throws DumpError: no index, damaged, another version, a count that does not fit, files outside
/// the folder.
void write_index(const Recording& recording);
/// All recordings of a folder: the whole, or the shares that are there in their order. A folder with both is refused.
std::vector<Recording> read_indexes(const std::string& folder);

/// Throws DumpError for a file that is missing, damaged or not the recording of this verdict.
RecordedCall read_call(const Recording& recording, const RecordedVerdict& recorded);

}  // namespace assay
