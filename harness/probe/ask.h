// Calls one tensor core instruction of a back end: a kernel of op mma, one instruction per call.
#pragma once

#include <string>
#include <vector>

#include "harness/core/call.h"
#include "harness/probe/instruction.h"

namespace assay {

/// A kernel of op mma with one of its contracts, and the tile size it takes.
struct OfferedInstruction {
  const KernelOffer* kernel = nullptr;
  std::string contract;
  int m = 0, n = 0, warp = 0;
};

/// All kernels of op mma that match the globs. A kernel for tiles of any size gets 16 x 16.
std::vector<OfferedInstruction> offered_instructions(const LibraryInfo& library, const std::string& kernel_glob,
                                                     const std::string& contract_glob);

/// A function that calls the kernel. It throws ProbeError with the library's message if the kernel refuses, breaks or leaves
/// elements unwritten, and DeviceLostError if the device is lost. `backend` must outlive it.
Ask ask_of(const Backend& backend, const OfferedInstruction& offered);

struct DeviceLostError : ProbeError {
  using ProbeError::ProbeError;
};

}  // namespace assay
