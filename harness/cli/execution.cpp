#include "harness/cli/execution.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "harness/text/error.h"

namespace assay {
namespace {

constexpr const char* kDevice = " executed on the CPU by ";  // as libassay_hip_runtime.so names its device

bool same_outputs(const CallResult& a, const CallResult& b) {
  if (a.status != b.status || a.outputs.size() != b.outputs.size()) return false;
  for (size_t i = 0; i < a.outputs.size(); ++i)
    if (a.outputs[i].bytes != b.outputs[i].bytes) return false;
  return true;
}

}  // namespace

CodeObjectExecution::CodeObjectExecution(const std::string& text) : text_(text) {
  if (text.empty()) return;
  std::istringstream words(text);
  std::getline(words, architecture_, ',');
  for (std::string word; std::getline(words, word, ',');) {
    if (word == "approximate=each") repeats_ = true;
    else options_ += (options_.empty() ? "" : ",") + word;
  }
  setenv("ASSAY_EXECUTE", architecture_.c_str(), 1);
  setenv("ASSAY_EXECUTE_OPTIONS", options_.c_str(), 1);
  std::string name = (std::filesystem::temp_directory_path() / "assay-execute-XXXXXX").string();
  const int file = mkstemp(name.data());
  if (file < 0) return;
  close(file);
  notes_ = name;
  setenv("ASSAY_EXECUTE_NOTES", notes_.c_str(), 1);
}

CodeObjectExecution::~CodeObjectExecution() {
  if (!notes_.empty()) std::filesystem::remove(notes_);
}

void CodeObjectExecution::demand(const LibraryInfo& library) const {
  if (is_asked() && library.device.find(kDevice) == std::string::npos)
    throw UsageError("--execute " + text_ + ": expected a library that is linked to libassay_hip_runtime.so, got " + library.path + " on device '" +
                     library.device + "'; try --backend hip, or link it with -lassay_hip_runtime");
}

void CodeObjectExecution::repeat_calls(Backend& backend, const std::function<Backend(const std::string& path)>& open) {
  if (!repeats_) return;
  for (const char* rounding : {"up", "down"}) {
    setenv("ASSAY_EXECUTE_OPTIONS", fmt::format("{}{}approximate={}", options_, options_.empty() ? "" : ",", rounding).c_str(), 1);
    others_.push_back(open(std::filesystem::absolute(backend.library.path).string()));
  }
  setenv("ASSAY_EXECUTE_OPTIONS", options_.c_str(), 1);
  backend.call = [this, call = std::move(backend.call)](const CallRequest& request) {
    CallResult result = call(request);
    if (result.status != CallStatus::kOk) return result;
    const bool depends =
        std::any_of(others_.begin(), others_.end(), [&](const Backend& other) { return !same_outputs(result, other.call(request)); });
    ++calls_;
    dependent_ += depends;
    return result;
  };
}

std::string CodeObjectExecution::summary(const LibraryInfo& library) const {
  if (!is_asked()) return {};
  std::set<std::string> approximate;
  std::ifstream notes(notes_);
  for (std::string line; std::getline(notes, line);) approximate.insert(line);
  const size_t by = library.device.find(kDevice);
  std::string text = fmt::format("executed code objects of {} by {}; approximate instructions: {}", architecture_,
                                 by == std::string::npos ? "?" : library.device.substr(by + std::string(kDevice).size()),
                                 approximate.empty() ? std::string("none") : fmt::format("{}", fmt::join(approximate, " ")));
  if (repeats_) return text + fmt::format("; outputs of {} of {} calls change when these are moved by one ULP", dependent_, calls_);
  return approximate.empty() ? text : text + "; option approximate=each says whether outputs depend on them";
}

}  // namespace assay
