// Describes a crash from the signal handler: the address, the nearest tensor, the running function.
#pragma once

#include <cstddef>
#include <string_view>

namespace assay {

/// Memory of a tensor, to describe crashes in or next to it.
struct TensorMemory {
  const std::byte *low, *begin, *end, *high;  ///< [begin, end) is the tensor; [low, high) includes the inaccessible pages around
                                              ///< it
  std::string_view name;
};

/// Registers the tensors of the next call and forgets those of the previous one. At most 64 are kept.
void forget_tensors();
void remember_tensor(const TensorMemory& memory);

/// Installs handlers for SIGSEGV, SIGBUS, SIGFPE and SIGILL. A handler writes such a line to the file and lets the signal end the
/// process:
///
///   SIGSEGV at address 0x7f..: wrote 4352 bytes behind the end of 'y', in my_kernel (libmine.so+0x11a9)
///
/// `begin` is written before the line and must stay alive. A signal that already has a handler (a sanitizer's) keeps it.
void speak_of_crashes(int file, const char* begin);

/// Names the library and kernel of the current call, if `begin` does not; null for none.
void set_crash_subject(const char* words);

}  // namespace assay
