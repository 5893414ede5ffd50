// How much memory this process may have, and the refusal of tensors that do not fit into it.
#pragma once

#include <cstdint>
#include <string>

#include "harness/core/tensor.h"
#include "harness/text/messages.h"

namespace assay {

/// A tensor of a case or file does not fit into the memory of this machine. The message names the tensor and its size. A verdict
/// with this message has no other cause.
struct TooLargeError : UsageError {
  explicit TooLargeError(const std::string& problem) : UsageError(kBegin + problem) {}

  static constexpr const char* kBegin = "does not fit into memory: ";
};

/// Number after a word in a file of /proc, in bytes; 0 if there is none. The file states KiB.
uint64_t memory_stated(const char* file, const std::string& word);

/// Bytes of the machine or of its container, whichever has less. 0 if neither says so.
uint64_t memory_of_machine();

/// Why `needed` bytes for a tensor that holds `bytes` are too much: "holds 32 GiB and takes 160 GiB here, too much for the 125 GiB
/// of memory of this machine". Empty if they fit. Also considers the limits of this process (ulimit -v, ulimit -d).
std::string why_too_large(uint64_t bytes, uint64_t needed);

/// "32 GiB", "8 KiB", "17 bytes".
std::string size_in_words(uint64_t bytes);

/// The tensor's name, shape and format with its size: "tensor 'x' [2097152, 8192] of bf16: holds 32 GiB". A shape whose size does
/// not fit into 64 bits "holds more than 8 EiB".
std::string tensor_size_in_words(const TensorSpec& spec);

/// Throws TooLargeError if the tensor does not fit with `more` further bytes for each element.
void require_memory(const TensorSpec& spec, uint64_t more);

}  // namespace assay
