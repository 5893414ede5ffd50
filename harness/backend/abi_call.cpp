#include "harness/backend/abi_call.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

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
    case ASSAY_FAULTED:
    case ASSAY_HUNG:
      return CallStatus::kBroken;
  }
  return CallStatus::kBroken;
}

/// ABI type code and width in bits. Unpacked codes of less than 8 bits are plain bytes to the ABI.
std::pair<assay_type_code, int> type_of(const TensorSpec& spec) {
  if (spec.format->bits < 8 && !spec.packed) return {ASSAY_UINT, 8};
  return {type_code_of(*spec.format), spec.format->bits};
}

/// Index of the memory block of a tensor. An input that shares its memory with an output of its rank uses the output's block.
size_t block_of(const std::vector<HostTensor>& tensors, size_t i) {
  for (size_t j = 0; j < tensors.size(); ++j)
    if (tensors[j].spec.shares == tensors[i].spec.name && tensors[j].spec.rank == tensors[i].spec.rank) return j;
  return i;
}

/// Parses a message "program: split-K 3", as libraries wrote it before assay_algorithm existed; empty if it is no such message.
SaidAlgorithm said_in(const std::string& message) {
  constexpr std::string_view kBefore = "program: ", kAnyOrder = ", added in any order";
  if (!message.starts_with(kBefore)) return {};
  std::string words = message.substr(kBefore.size());
  SaidAlgorithm said;
  const bool any_order = words.ends_with(kAnyOrder);
  const std::string count = any_order ? words.substr(0, words.size() - kAnyOrder.size()) : words;
  int end = 0;
  if (std::sscanf(count.c_str(), "split-K %d%n", &said.split_k, &end) != 1 || size_t(end) != count.size() || said.split_k < 1)
    return {.words = std::move(words)};
  if (any_order) said.order = SaidAlgorithm::Order::kAny;
  return said;
}

/// Describes the first field with an invalid value; empty if all are valid.
std::string wrong_field(const assay_algorithm& algorithm) {
  if (algorithm.split_k < 0) return "split_k " + std::to_string(algorithm.split_k);
  if (algorithm.promote < -1) return "promote " + std::to_string(algorithm.promote);
  if (algorithm.order < ASSAY_ORDER_NOT_SAID || algorithm.order > ASSAY_ORDER_ANY) return "order " + std::to_string(algorithm.order);
  return "";
}

}  // namespace

AbiCall::AbiCall(const CallRequest& request, const std::vector<DeviceBlock>& blocks, int rank) {
  const std::vector<HostTensor>& from = request.problem->tensors;
  for (size_t i = 0; i < from.size(); ++i) {
    const TensorSpec& spec = from[i].spec;
    if (spec.rank != rank) continue;
    const size_t before = spec.byte_of(spec.offset);
    const auto [type_code, type_bits] = type_of(spec);
    tensors.push_back({.size = sizeof(assay_tensor),
                       .type_code = uint8_t(type_code),
                       .type_bits = uint8_t(type_bits),
                       .is_output = uint8_t(spec.role == Role::kOutput),
                       .ndim = uint8_t(spec.shape.size()),
                       .role = spec.name.c_str(),
                       .shape = spec.shape.data(),
                       .strides = spec.strides.data(),
                       .data = static_cast<std::byte*>(blocks[block_of(from, i)].address()) + before,
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
          .message_bytes = sizeof message,
          .rank = rank,
          .world_size = request.problem->ranks,
          .algorithm = &algorithm};
}

std::string AbiCall::words() const {
  std::string text(message, ::strnlen(message, sizeof message));
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

SaidAlgorithm AbiCall::said() const {
  if (algorithm.split_k == 0 && algorithm.promote == 0 && algorithm.order == ASSAY_ORDER_NOT_SAID) return said_in(words());
  const std::string wrong = wrong_field(algorithm);
  if (!wrong.empty()) return {.words = wrong + ", which abi.h does not define"};
  return {.words = {}, .split_k = algorithm.split_k, .promote = algorithm.promote, .order = SaidAlgorithm::Order(algorithm.order)};
}

CallResult refused(CallStatus status, std::string message) {
  CallResult result;
  result.status = status;
  result.message = std::move(message);
  return result;
}

CallResult lost(const std::string& reason, bool reached_kernel) {
  CallResult result = refused(CallStatus::kDeviceLost, reason);
  result.reached_kernel = reached_kernel;
  result.poisoned = true;
  return result;
}

CallResult refused_by(const Execution& execution, const AbiCall& call) {
  CallResult result = refused(status_of(execution.status), call.words());
  result.poisoned = execution.status == ASSAY_DEVICE_LOST || execution.status == ASSAY_FAULTED;
  if (result.status == CallStatus::kBroken && !result.poisoned && execution.status != ASSAY_HUNG)
    result.message = "run() returned " + std::to_string(int(execution.status)) + ", which abi.h does not define";
  if (result.message.empty()) result.message = execution.trouble;
  if (result.message.empty()) result.message = "the library gave no reason";
  if (execution.status == ASSAY_FAULTED) result.message.insert(0, "made the device useless: ");
  if (execution.status == ASSAY_HUNG) result.message.insert(0, "hung: ");
  return result;
}

}  // namespace assay
