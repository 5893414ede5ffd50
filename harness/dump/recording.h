// Runs on disk: what every kernel was given and what it returned, to be judged again without it.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "harness/core/call.h"
#include "harness/core/run.h"
#include "harness/core/run_case.h"

namespace assay {

/// One verdict of a recorded run. Its tensors were not judged yet; everything else is as the run said it.
struct RecordedVerdict {
  std::string file;  ///< relative to the recording; empty: no call gave outputs, and `verdict` stands as it is
  Verdict verdict;
};

struct Recording {
  std::string folder, backend;
  LibraryInfo library;
  std::vector<RecordedVerdict> verdicts;  ///< in the order of the run
};

/// Inputs and answer of one recorded call.
struct RecordedCall {
  std::vector<HostTensor> inputs;
  CallResult result;
};

/// Writes a recording: FOLDER/<case id>/<kernel>.safetensors while the run goes on, FOLDER/index.json at its end. A folder
/// without an index is a run that did not end.
class Recorder {
 public:
  /// Throws UsageError if the folder holds a recording already.
  Recorder(std::string folder, const Backend& backend);

  /// For CaseOptions::record; may be called from several threads. Throws std::runtime_error naming a file that cannot be written.
  void write(const Evidence& evidence, const Verdict& verdict);

  /// Writes the index.
  void finish(const RunResult& result) const;

 private:
  std::string folder_, backend_;
  LibraryInfo library_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::string> files_;  ///< by case and kernel
};

/// recording_index.cpp. Reading throws DumpError: no index, damaged, another version, a count that does not fit, files outside
/// the folder.
void write_index(const Recording& recording);
Recording read_index(const std::string& folder);

/// Throws DumpError for a file that is missing, damaged or not the recording of this verdict.
RecordedCall read_call(const Recording& recording, const RecordedVerdict& recorded);

}  // namespace assay
