// An instruction behind a back end: a kernel of op mma, one instruction a call.
#pragma once

#include <string>
#include <vector>

#include "harness/core/call.h"
#include "harness/probe/instruction.h"

namespace assay {

/// A kernel of op mma under one of its contracts, and the tile that it takes.
struct OfferedInstruction {
  const KernelOffer* kernel = nullptr;
  std::string contract;
  int m = 0, n = 0, warp = 0;
};

/// Of every kernel of op mma that the globs match. A kernel that takes tiles of any size gets 16 x 16.
std::vector<OfferedInstruction> offered_instructions(const LibraryInfo& library, const std::string& kernel_glob,
                                                     const std::string& contract_glob);

/// Calls of the kernel. What is returned throws ProbeError, with the library's words, if it refuses, breaks or leaves elements
/// unwritten; DeviceLostError if the device is lost. Both live as long as the back end.
Ask ask_of(const Backend& backend, const OfferedInstruction& offered);

struct DeviceLostError : ProbeError {
  using ProbeError::ProbeError;
};

}  // namespace assay
