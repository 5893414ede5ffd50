// Serializes calls and results for the worker: descriptions in messages, tensor bytes in shared memory.
#pragma once

#include "harness/backend/shared_memory.h"
#include "harness/backend/wire.h"
#include "harness/core/call.h"

namespace assay {

/// Copies the inputs into `memory` and everything else into the message.
std::string pack_request(const CallRequest& request, SharedMemory& memory);

/// A request and the problem that it points to.
struct UnpackedRequest {
  Problem problem;
  CallRequest request;
};
UnpackedRequest unpack_request(const std::string& message, SharedMemory& memory);

/// Copies the outputs into `memory`, at the offsets that their tensors have in the problem.
std::string pack_result(const CallResult& result, const Problem& problem, SharedMemory& memory);
/// Validates everything: a kernel may have corrupted the worker. Throws std::runtime_error for a message that no intact worker
/// sends.
CallResult unpack_result(const std::string& message, const Problem& problem, SharedMemory& memory);

}  // namespace assay
