// What can be said of a crash from inside: the address, the tensor that it lies beside, the code that was running.
#pragma once

#include <cstddef>
#include <string_view>

namespace assay {

/// Memory of a tensor, for the words of a crash in or beside it.
struct TensorMemory {
  const std::byte *low, *begin, *end, *high;  ///< low to high with the untouchable pages around it
  std::string_view name;
};

/// The tensors of the call that comes next; forgets those of the call before. At most 64 of them are remembered.
void forget_tensors();
void remember_tensor(const TensorMemory& memory);

/// From here on a SIGSEGV, SIGBUS, SIGFPE or SIGILL writes such a line to the file before it ends the process as it would have:
///
///   SIGSEGV at address 0x7f..: wrote 4352 bytes behind the end of 'y', in my_kernel (libmine.so+0x11a9)
///
/// `begin` stands before it and must live on. A signal that has a handler already (a sanitizer's) keeps it.
void speak_of_crashes(int file, const char* begin);

/// The library and the kernel that are being called, if `begin` is not to say it; null for none.
void set_crash_subject(const char* words);

}  // namespace assay
