#include "harness/backend/exit_notice.h"

#include <cstdio>
#include <cstdlib>

#include "harness/backend/crash_words.h"
#include "harness/text/error.h"

namespace assay {
namespace {

/// exit() runs its handlers on the calling thread.
thread_local const std::string* calling = nullptr;

void say_who_exits() {
  if (calling == nullptr) return;
  std::fprintf(stderr, "assay: %s\n", calling->c_str());
  std::fflush(nullptr);
  std::_Exit(kUnexpected);
}

}  // namespace

ExitNotice::ExitNotice(const std::string& path, const CallRequest& request)
    : words_(path + ": kernel '" + request.kernel + "' ended the program with exit() in a call of " + request.op + ", contract " +
             request.contract),
      subject_(path + ": kernel '" + request.kernel + "' in a call of " + request.op + ", contract " + request.contract) {
  static const int registered = std::atexit(say_who_exits);
  static_cast<void>(registered);
  calling = &words_;
  set_crash_subject(subject_.c_str());
}

ExitNotice::~ExitNotice() {
  calling = nullptr;
  set_crash_subject(nullptr);
}

}  // namespace assay
