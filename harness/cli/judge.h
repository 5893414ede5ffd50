// The five forms of `assay judge`: recordings, outputs next to exported inputs, a user's dump under a contract, a single scale
// tensor, a quantized checkpoint.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "harness/cli/verbs.h"
#include "harness/core/case.h"
#include "harness/core/op.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/dump/dump.h"
#include "harness/dump/recording.h"
#include "harness/golden/golden.h"
#include "harness/run/run.h"
#include "harness/run/run_case.h"
#include "suites/registry.h"

namespace assay {

int judge_recordings(const JudgeArguments& arguments);
int judge_outputs_of_inputs(const JudgeArguments& arguments);  ///< a folder of `assay inputs`, to which outputs were added
int judge_dump(const JudgeArguments& arguments);
int judge_scale(const JudgeArguments& arguments);
int judge_checkpoint(const JudgeArguments& arguments);

/// Parses "name=value" options. Throws UsageError for a text without '=' or a repeated name.
std::map<std::string, std::string> named_values(const std::string& option, const std::vector<std::string>& texts);

/// A tensor that the command line names: "FILE.safetensors:TENSOR", "FILE.npy" or "FILE.npy:FORMAT". ":TENSOR" is optional if a
/// .safetensors file has only one tensor.
struct NamedTensor {
  Dump dump;
  StoredTensor tensor;
};
NamedTensor open_tensor(const std::string& target);

// How the tensors in a user's files get their roles, such as x or scale.

/// The user's options about the files: which files, and which tensor has which role.
struct DumpArguments {
  std::vector<std::string> targets;  ///< FILE.safetensors or ROLE=FILE.npy[:FORMAT]
  std::vector<std::string> tensors;  ///< "role=name in the file"
};

struct DumpedFiles {
  DumpedRoles roles;
  std::vector<std::string> there;  ///< names of all tensors in the user's files

  /// The end of a message about a role that no tensor has: "; there are: a, b; name it with --tensor ROLE=NAME or ROLE=FILE.npy".
  std::string what_there_is(const std::string& role) const;
};

/// Throws UsageError if the file was written by torch.save; the message has the Python lines that convert it.
void refuse_torch_file(const std::string& target);

/// One of several calls in one dump: --tensor x=layers.*.x gives a call for each text that can replace the *.
struct StarredCall {
  std::string star;                  ///< the text that * stands for; empty if no name has a *
  std::vector<std::string> tensors;  ///< "role=name in the file"
};

/// One call for each text that can replace the * of every name; a single call if no name has a *. Throws UsageError if no text
/// can replace it, or if the tensors of a text exist for only some of the names.
std::vector<StarredCall> starred_calls(const std::vector<std::string>& targets, const std::vector<std::string>& tensors);

/// Reads the tensors of all targets that have a role of one of the ops. Throws UsageError, DumpError.
DumpedFiles gather(const DumpArguments& arguments, const std::vector<const Op*>& ops);

// Verdicts on recorded runs: each recorded call is matched with its case, and its outputs are judged without calling a kernel.

/// A case to judge, with its recorded calls. Several recordings of the same call must be equal.
struct RecordedCase {
  const Case* one;
  std::vector<std::pair<const Recording*, const RecordedVerdict*>> recorded;
};

/// Opens all recordings of these folders, complete ones or shards. Throws DumpError.
std::vector<Recording> open_recordings(const std::vector<std::string>& folders);

/// The recorded cases, ordered by the case tables and then by recording, as in the original run. Leaves out cases that are not in `cases`,
/// and prints their number to stderr. A case in two recordings gives one entry, and is named on stderr. `all`: all existing cases; with
/// them, stderr says which left-out cases exist but are not selected. The result points into the first two arguments.
std::vector<RecordedCase> recorded_cases(const std::vector<Recording>& recordings, const std::vector<Case>& cases,
                                         const std::vector<Case>& all = {});

/// A message about the first recorded input that differs from the input that this program generates; empty if all are equal. If
/// an input differs, the recorded outputs cannot be checked. Throws std::out_of_range for an input that was not recorded.
std::string input_difference(const Problem& problem, const std::vector<HostTensor>& recorded);

/// Judges the recorded cases on all cores. `power`: known mutation scores of data sets. `record` is called with the evidence of each
/// verdict, by several threads. `budget`: as in look_for_causes().
RunResult judge_recorded(const OpRegistry& ops, const std::vector<RecordedCase>& recorded, const PowerRecords& power,
                         const std::function<void(const Evidence&, const Verdict&)>& record = {},
                         int64_t budget = WorkBudget::kShort);

/// One line for each gap that the index of the recordings shows: a missing shard of the run, or an early end of the run.
std::vector<std::string> gaps_of(const std::vector<Recording>& recordings);

}  // namespace assay
