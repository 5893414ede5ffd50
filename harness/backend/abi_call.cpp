#include "harness/backend/abi_call.h"

#include <algorithm>
#include <cstring>

#include "harness/backend/abi_types.h"

namespace assay {
namespace {

CallStatus status_of(assay_status status) {
  switch (status) {
    case ASSAY_OK:
      return CallStatus::kOk;
    case ASSAY_UNSUPPORTED:
      return CallStatus::kUnsupported;
    case ASSAY_FAILED:
      return CallStatus::kFailed;
    case ASSAY_DEVICE_LOST:
      return CallStatus::kDeviceLost;
  }
  return CallStatus::kBroken;
}

}  // namespace

AbiCall::AbiCall(const CallRequest& request, const std::vector<DeviceBlock>& blocks) {
  const std::vector<HostTensor>& from = request.problem->tensors;
  for (size_t i = 0; i < from.size(); ++i) {
    const TensorSpec& spec = from[i].spec;
    const auto before = size_t(spec.offset) * size_t(spec.format->bytes());
    tensors.push_back({.size = sizeof(assay_tensor),
                       .type_code = uint8_t(type_code_of(*spec.format)),
                       .type_bits = uint8_t(spec.format->bits),
                       .is_output = uint8_t(spec.role == Role::kOutput),
                       .ndim = uint8_t(spec.shape.size()),
                       .role = spec.name.c_str(),
                       .shape = spec.shape.data(),
                       .strides = spec.strides.data(),
                       .data = static_cast<std::byte*>(blocks[i].address()) + before,
                       .bytes = spec.bytes() - before});
  }
  for (const auto& [name, value] : request.problem->parameters) parameters.push_back({name.c_str(), value});
  parameters.push_back({"schedule_seed", double(request.schedule_seed)});
  call = {.size = sizeof(assay_call),
          .op = request.op.c_str(),
          .contract = request.contract.c_str(),
          .kernel = request.kernel.c_str(),
          .tensors = tensors.data(),
          .n_tensors = int32_t(tensors.size()),
          .params = parameters.data(),
          .n_params = int32_t(parameters.size()),
          .stream = nullptr,
          .workspace = nullptr,
          .workspace_bytes = 0,
          .message = message,
          .message_bytes = sizeof message};
}

std::string AbiCall::words() const {
  std::string text(message, ::strnlen(message, sizeof message));
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

CallResult refused(CallStatus status, std::string message) {
  CallResult result;
  result.status = status;
  result.message = std::move(message);
  return result;
}

CallResult refused_by(const Execution& execution, const AbiCall& call) {
  CallResult result = refused(status_of(execution.status), call.words());
  if (result.status == CallStatus::kBroken)
    result.message = "run() returned " + std::to_string(int(execution.status)) + ", which abi.h does not know";
  if (result.message.empty()) result.message = execution.trouble;
  if (result.message.empty()) result.message = "the library gave no reason";
  return result;
}

}  // namespace assay
