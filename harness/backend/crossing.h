// How a call and its result cross to the worker and back: specs and words by message, bytes by shared memory.
#pragma once

#include "harness/backend/shared_memory.h"
#include "harness/backend/wire.h"
#include "harness/core/call.h"

namespace assay {

/// Puts the inputs into `memory` and everything else into the message.
std::string pack_request(const CallRequest& request, SharedMemory& memory);

/// A request and the problem that it points to.
struct UnpackedRequest {
  Problem problem;
  CallRequest request;
};
UnpackedRequest unpack_request(const std::string& message, SharedMemory& memory);

/// Puts the outputs into `memory`, at the places that their tensors have in the problem.
std::string pack_result(const CallResult& result, const Problem& problem, SharedMemory& memory);
/// Trusts nothing that the worker sent: throws std::runtime_error for what no worker sends by itself.
CallResult unpack_result(const std::string& message, const Problem& problem, SharedMemory& memory);

}  // namespace assay
