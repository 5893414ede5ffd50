// Messages about a kernel that ended its process: by a crash (address and nearest tensor), or by exit().
#pragma once

#include <signal.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "harness/core/call.h"

namespace assay {

// The signal handler's description of a crash: the address, the nearest tensor, the running function.

/// Memory of a tensor, to describe crashes in or next to it.
struct TensorMemory {
  const std::byte *low, *begin, *end, *high;  ///< [begin, end) is the tensor; [low, high) includes the inaccessible pages
                                              ///< around it
  std::string_view name;
  size_t row = 0, pitch = 0;  ///< if rows lie far apart: rows of `row` bytes, whose starts are `pitch` bytes apart
};

/// remember_tensor() registers a tensor of the next call (at most 256); forget_tensors() forgets those of the previous call.
void forget_tensors();
void remember_tensor(const TensorMemory& memory);

/// Installs handlers for SIGSEGV, SIGBUS, SIGFPE and SIGILL. A handler writes a line like this to the file; then the signal ends
/// the process:
///
///   SIGSEGV at address 0x7f..: wrote 4352 bytes behind the end of 'y', in my_kernel (libmine.so+0x11a9)
///
/// `begin` is written before the line and must stay alive. A signal that already has a handler, such as a sanitizer's, keeps it.
void speak_of_crashes(int file, const char* begin);

/// Installs a handler of the signal kWhereAreYou. It writes the thread's stack frames in the library to the file of
/// speak_of_crashes(): "libmine.so+0x11a9 <- +0x88". Writes nothing if there are none.
void answer_where_you_are(const std::string& library);
/// This thread's stack frames in that library, such as "libmine.so+0x11a9 <- +0x88"; empty if there are none.
std::string frames_in_library();
/// The signal that asks a worker which code of the library it is running. A process without the handler ignores it.
inline constexpr int kWhereAreYou = SIGURG;

/// Adds source lines and the function to a place such as "libmine.so+0x11a9 <- +0x88" in a message, if addr2line (binutils) finds
/// them. The result is "libmine.so+0x11a9 <- +0x88 (at mine.h:12, called from mine.cpp:40; function scale(int))".
std::string with_source_lines(const std::string& message, const std::string& library);

/// Sets the text by which a crash line names the running library and kernel; null: none.
void set_crash_subject(const char* words);

// A message for a kernel that ends the program.

/// While this object exists: if a kernel ends this process with exit() or a crash, stderr names the kernel. After exit(), the
/// exit code is that of a broken case. CUDA calls exit() if host code calls a device-only function.
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
