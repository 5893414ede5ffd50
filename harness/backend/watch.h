// On-device checker for casts that have too many inputs to check on the host. It is a second library on the same device: it
// generates the inputs and compares the output codes in device memory.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "harness/backend/call_memory.h"
#include "harness/backend/library.h"
#include "harness/core/call.h"

namespace assay {

/// Inputs are consecutive 32-bit patterns. The 8-bit output codes are compared with the expected ones, given as CodeSteps. The
/// caller does not rely on the checker: it checks on the host all inputs reported as wrong, and some reported as right.
class Watch {
 public:
  Watch(std::shared_ptr<const assay_library> tested, Library watch) : tested_(std::move(tested)), watch_(std::move(watch)) {}

  /// The problem has an input x without data and an output q. Input element i gets the pattern `first` + i. Before the call, q is
  /// filled with codes that are wrong for these inputs. Guards are checked as in every call. An input that the call changed is
  /// counted like a wrong code.
  WatchedResult call(const CallRequest& request, uint32_t first, const std::vector<CodeStep>& steps);

 private:
  CallResult ask(const char* kernel, Role of_x_and_q, const CallRequest& about, uint32_t first, int64_t steps, int64_t counts);

  std::shared_ptr<const assay_library> tested_;
  Library watch_;
  std::vector<DeviceBlock> blocks_;  ///< for x, q, steps and counts
};

struct FoundWatch {
  std::shared_ptr<Watch> watch;  ///< null if the library works on host memory, or if no checker was found
  std::string why_none;          ///< the reason, in one line, if a checker was found but cannot be used
};

/// Finds the checker for a library among the files assay_watch_*.so of these folders: a library for the same architecture.
FoundWatch find_watch(const Library& tested, const std::vector<std::filesystem::path>& folders);

}  // namespace assay
