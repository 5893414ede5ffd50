// Says who ended the program.
#pragma once

#include <string>

#include "harness/core/call.h"

namespace assay {

/// While it lives, a kernel that ends this process with exit() or by a crash is named on stderr, and the exit code is that of a
/// broken one. CUDA does so where host code calls a function that is for the device alone.
class ExitNotice {
 public:
  ExitNotice(const std::string& path, const CallRequest& request);
  ~ExitNotice();
  ExitNotice(const ExitNotice&) = delete;
  ExitNotice& operator=(const ExitNotice&) = delete;

 private:
  std::string words_, subject_;
};

}  // namespace assay
