// Calls of casts too large to be looked at from the host: a second library on the same device makes the inputs and compares the
// codes where they lie.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "harness/backend/device_block.h"
#include "harness/backend/library.h"
#include "harness/core/call.h"

namespace assay {

/// Inputs of 32 bits counted up, codes of 8 bits compared with steps. What it says of a kernel is hearsay: the caller lets the
/// host look at whatever is said to be wrong, and at a part of what is said to be right.
class Watch {
 public:
  Watch(std::shared_ptr<const assay_library> tested, Library watch) : tested_(std::move(tested)), watch_(std::move(watch)) {}

  /// The problem has an input x without bytes and an output q; element i of x is the pattern `first` + i. Before the call q holds
  /// what no right kernel leaves there. Guards are checked as in every call; inputs that the call changed count as wrong.
  WatchedResult call(const CallRequest& request, uint32_t first, const std::vector<CodeStep>& steps);

 private:
  CallResult ask(const char* kernel, Role of_x_and_q, const CallRequest& about, uint32_t first, int64_t steps, int64_t counts);

  std::shared_ptr<const assay_library> tested_;
  Library watch_;
  std::vector<DeviceBlock> blocks_;  ///< x, q, steps, counts
};

struct FoundWatch {
  std::shared_ptr<Watch> watch;  ///< null for a library that works on host memory, and where there is none
  std::string why_none;          ///< one line, of a watch that is there and cannot be used; empty where it is used or there is none
};

/// The watch for a library, among the files assay_watch_*.so of these folders: one for the same device.
FoundWatch find_watch(const Library& tested, const std::vector<std::filesystem::path>& folders);

}  // namespace assay
