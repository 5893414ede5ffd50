#include "harness/cli/judge.h"

#include <algorithm>
#include <filesystem>

#include "harness/check/case_files.h"
#include "harness/text/error.h"

namespace assay {

std::map<std::string, std::string> named_values(const std::string& option, const std::vector<std::string>& texts) {
  std::map<std::string, std::string> values;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == text.size())
      throw UsageError(option + " " + text + ": must read name=value");
    if (!values.emplace(text.substr(0, equals), text.substr(equals + 1)).second)
      throw UsageError(option + " " + text + ": given twice");
  }
  return values;
}

NamedTensor open_tensor(const std::string& target) {
  const std::string kind = ".safetensors:";
  const size_t colon = target.find(kind);
  Dump dump = open_dump(colon == std::string::npos ? target : target.substr(0, colon + kind.size() - 1));
  if (colon != std::string::npos) {
    StoredTensor tensor = dump.find(target.substr(colon + kind.size()));
    return {std::move(dump), std::move(tensor)};
  }
  if (dump.tensors.size() == 1) {
    StoredTensor only = dump.tensors.front();
    return {std::move(dump), std::move(only)};
  }
  std::string names;
  for (const StoredTensor& tensor : dump.tensors) names += (names.empty() ? "" : ", ") + tensor.name;
  throw UsageError(target + ": holds " + std::to_string(dump.tensors.size()) + " tensors (" + names +
                   "); name one as FILE.safetensors:TENSOR");
}

int judge_verb(const JudgeArguments& arguments) {
  if (!arguments.as.empty() && !arguments.contract.empty()) throw UsageError("--as needs no op and takes no --contract");
  if (!arguments.as.empty()) return judge_scale(arguments);
  const bool folders = std::all_of(arguments.targets.begin(), arguments.targets.end(),
                                   [](const std::string& target) { return std::filesystem::is_directory(target); });
  const bool handed_out = folders && std::all_of(arguments.targets.begin(), arguments.targets.end(), has_case_inputs);
  if (handed_out && arguments.contract.empty()) return judge_outputs_of_inputs(arguments);
  if (folders && arguments.contract.empty()) return judge_recordings(arguments);
  if (arguments.contract.empty())
    throw UsageError(
        arguments.targets.front() +
        ": expected a folder with a recording or with inputs and outputs; a dump needs --contract ID (see assay contracts list), a single scale tensor --as scale");
  return judge_dump(arguments);
}

}  // namespace assay
