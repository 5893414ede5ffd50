// Which inputs a call reads before it ends: the call is repeated with inaccessible inputs, and the first access to one of them
// crashes. It shows which pointer is null in a crash, and whether a kernel that stores nothing runs at all.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/core/call.h"
#include "harness/diagnosis/diagnose.h"

namespace assay {
namespace {

/// "a", "a and b", "a, b and c"; `last`: the word before the last name.
std::string names_text(const std::vector<std::string>& names, const char* last) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "" : i + 1 == names.size() ? fmt::format(" {} ", last) : ", ") + names[i];
  return text;
}

/// The name after "inside '" in the message of a crash; empty for other messages.
std::string crashed_inside(const std::string& message) {
  constexpr std::string_view kInside = " inside '";
  const size_t at = message.find(kInside);
  if (at == message.npos || message.find("crashed: SIG") == message.npos) return "";
  const size_t begin = at + kInside.size();
  return message.substr(begin, message.find('\'', begin) - begin);
}

}  // namespace

InputsRead inputs_read(const Backend& backend, CallRequest request) {
  constexpr size_t kMostInputs = 24;
  InputsRead found;
  const std::vector<HostTensor>& tensors = request.problem->tensors;
  std::vector<std::string> closed;  // the names of inaccessible inputs, of all ranks
  for (const HostTensor& one : tensors)
    if (access_of(one) == Access::kIn && one.spec.elements() > 0 && one.spec.far == 0 &&
        std::find(closed.begin(), closed.end(), one.spec.name) == closed.end())
      closed.push_back(one.spec.name);
  if (!backend.contains_crashes || closed.empty() || closed.size() > kMostInputs) return found;
  while (true) {
    request.closed.clear();
    for (size_t i = 0; i < tensors.size(); ++i)
      if (std::find(closed.begin(), closed.end(), tensors[i].spec.name) != closed.end()) request.closed.push_back(int32_t(i));
    const CallResult result = closed.empty() ? CallResult() : backend.call(request);
    const std::string name = crashed_inside(result.message);
    const auto at = std::find(closed.begin(), closed.end(), name);
    if (at == closed.end()) break;
    found.read.push_back(name);
    closed.erase(at);
  }
  found.others = closed;
  found.is_known = true;
  return found;
}

std::string null_pointer_in_words(const Backend& backend, const CallRequest& request, const std::string& message) {
  if (message.find(" through a null pointer") == message.npos) return "";
  const InputsRead inputs = inputs_read(backend, request);
  if (!inputs.is_known) return "";
  const std::string before = inputs.read.empty() ? "no input" : names_text(inputs.read, "and");
  if (message.find(": wrote through a null pointer") != message.npos) {
    std::vector<std::string> outputs;
    for (const HostTensor& one : request.problem->tensors)
      if (access_of(one) != Access::kIn && std::find(outputs.begin(), outputs.end(), one.spec.name) == outputs.end())
        outputs.push_back(one.spec.name);
    return fmt::format(
        "null: the kernel reads {} before it writes through a null pointer: the pointer of {} is probably never set", before,
        (outputs.size() > 1 ? "one of " : "") + names_text(outputs, "and"));
  }
  if (inputs.read.empty())
    return "null: no input is read before the crash: an index into a list of pointers, such as those of ranks, is too large, or a "
           "pointer is never set";
  if (inputs.others.empty())
    return "null: every input is read before the crash, so the pointer of an output, or of memory of the library itself, is null";
  return fmt::format(
      "null: the kernel reads {} before the crash, but not {}: the pointer of {} is probably never set, or an index into a list of "
      "pointers is wrong",
      before, names_text(inputs.others, "or"), inputs.others.size() == 1 ? inputs.others.front() : "one of them");
}

std::string nothing_written_in_words(const Backend& backend, const CallRequest& request) {
  const InputsRead inputs = inputs_read(backend, request);
  if (!inputs.is_known) return kNothingWritten;
  if (inputs.read.empty())
    return "never written: no element of any output: no kernel is launched (a launch is missing, or no branch of a dispatch on "
           "contract, type or size is taken), or all its threads return at once: no input is read";
  const std::string read = names_text(inputs.read, "and");
  if (inputs.others.empty())
    return fmt::format(
        "never written: no element of any output: the kernel runs and reads {}, but its stores are missing, or their condition "
        "never holds",
        read);
  return fmt::format(
      "never written: no element of any output: the call reads {}, but not {}: the kernel ends before it reads {}, or is not "
      "launched, or its stores are missing",
      read, names_text(inputs.others, "or"), inputs.others.size() == 1 ? "it" : "them");
}

}  // namespace assay
