// Reports a kernel that ends the program.
#pragma once

#include <string>

#include "harness/core/call.h"

namespace assay {

/// During its lifetime, a kernel that ends this process with exit() or by a crash is named on stderr, and the exit code is that
/// of kBroken. CUDA calls exit() if host code calls a device-only function.
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
