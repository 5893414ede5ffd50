#include "harness/backend/abi_call.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "harness/backend/crash_report.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

// The ways to launch a call.

assay_status wait_for(const assay_library& functions, void* stream) {
  return functions.synchronise != nullptr ? functions.synchronise(stream) : ASSAY_OK;
}

Execution run_and_wait(const assay_library& functions, const CallsToLaunch& launch, void* stream) {
  const assay_status status = launch.run();
  if (status != ASSAY_OK) return {status};
  const assay_status waited = wait_for(functions, stream);
  return {waited, waited == ASSAY_OK ? "" : "synchronise() failed after the call"};
}

/// Launches the calls and waits for them. Repeatable calls of several ranks are launched twice, and only the second launch is
/// waited for.
Execution run_in_a_row_and_wait(const assay_library& functions, const CallsToLaunch& launch, void* stream) {
  if (launch.calls.size() > 1 && launch.repeatable)
    if (const assay_status status = launch.run(); status != ASSAY_OK) return {status};
  return run_and_wait(functions, launch, stream);
}

Execution capture_and_replay(const assay_library& functions, const CallsToLaunch& launch, void* stream) {
  if (launch.calls.size() > 1)
    if (const Execution before = run_and_wait(functions, launch, stream); before.status != ASSAY_OK) return before;
  if (const assay_status status = functions.begin_capture(stream); status != ASSAY_OK) return {status, "begin_capture() failed"};
  const assay_status recorded = launch.run();
  void* graph = nullptr;
  const assay_status ended = functions.end_capture(stream, &graph);
  Execution result{recorded};
  if (recorded == ASSAY_OK && (ended != ASSAY_OK || graph == nullptr))
    result = {
        ended == ASSAY_OK ? ASSAY_FAILED : ended,
        "the call cannot be captured in a graph: it uses other streams than the one that it was given, or waits for its stream"};
  for (int time = 1; time <= 2 && result.status == ASSAY_OK; ++time) {
    if (!launch.reset(time)) {
      result = {ASSAY_DEVICE_LOST, "the outputs cannot be reset between two replays"};
      break;
    }
    result.status = functions.replay(graph, stream);
    if (result.status == ASSAY_OK) result.status = wait_for(functions, stream);
    if (result.status != ASSAY_OK) result.trouble = "replay " + std::to_string(time) + " of the captured call failed";
  }
  if (graph != nullptr) functions.destroy_graph(graph);
  return result;
}

}  // namespace

Execution execute(const assay_library& functions, const CallsToLaunch& launch, LaunchMode mode) {
  if (mode == LaunchMode::kDefault) {
    if (launch.calls.size() > 1) return {launch.run()};  // a group synchronizes itself
    return run_and_wait(functions, launch, launch.calls.front()->stream);
  }
  if (functions.create_stream == nullptr) return {ASSAY_UNSUPPORTED, "the library has no streams"};
  if (mode == LaunchMode::kGraph && functions.begin_capture == nullptr)
    return {ASSAY_UNSUPPORTED, "the library cannot capture graphs: it has no begin_capture()"};

  // The new stream does not wait for the default stream, so uploads there must be complete.
  if (const assay_status status = wait_for(functions, nullptr); status != ASSAY_OK)
    return {status, "synchronise() failed before the call"};
  void* const stream = functions.create_stream();
  if (stream == nullptr) return {ASSAY_DEVICE_LOST, "create_stream() returned NULL"};
  for (assay_call* call : launch.calls) call->stream = stream;
  const Execution result = mode == LaunchMode::kStream ? run_in_a_row_and_wait(functions, launch, stream)
                                                       : capture_and_replay(functions, launch, stream);
  functions.destroy_stream(stream);
  for (assay_call* call : launch.calls) call->stream = nullptr;
  return result;
}

// Type codes of the C ABI for our formats.

assay_type_code type_code_of(const Format& format) {
  struct Row {
    const Format& format;
    assay_type_code code;
  };
  static const Row kRows[] = {{kF32, ASSAY_FLOAT},
                              {kBf16, ASSAY_BFLOAT},
                              {kF16, ASSAY_FLOAT},
                              {kE4M3Fn, ASSAY_FLOAT8_E4M3FN},
                              {kE4M3Fnuz, ASSAY_FLOAT8_E4M3FNUZ},
                              {kE5M2, ASSAY_FLOAT8_E5M2},
                              {kE5M2Fnuz, ASSAY_FLOAT8_E5M2FNUZ},
                              {kE8M0, ASSAY_FLOAT8_E8M0FNU},
                              {kE2M1, ASSAY_FLOAT4_E2M1FN},
                              {kInt8, ASSAY_INT},
                              {kInt32, ASSAY_INT},
                              {kInt64, ASSAY_INT},
                              {kUint8, ASSAY_UINT}};
  for (const Row& row : kRows) {
    if (row.format == format) return row.code;
  }
  throw std::logic_error("the C ABI has no type for format " + std::string(format.name));
}

namespace {

// Converts a call to the structs of the C ABI, and the returned status to a CallResult.

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

/// ABI type code and width in bits. For the ABI, unpacked codes of less than 8 bits are plain bytes.
std::pair<assay_type_code, int> type_of(const TensorSpec& spec) {
  if (spec.format->bits < 8 && !spec.packed) return {ASSAY_UINT, 8};
  return {type_code_of(*spec.format), spec.format->bits};
}

/// Index of the memory block that stores tensor i: usually i, but j if the in-place output j of the same rank uses the memory of
/// tensor i.
size_t block_of(const std::vector<HostTensor>& tensors, size_t i) {
  for (size_t j = 0; j < tensors.size(); ++j)
    if (tensors[j].spec.shares == tensors[i].spec.name && tensors[j].spec.rank == tensors[i].spec.rank) return j;
  return i;
}

/// Parses a message such as "program: split-K 3", by which libraries older than assay_algorithm report their algorithm. Empty for
/// other messages.
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
  if (algorithm.order < ASSAY_ORDER_NOT_SAID || algorithm.order > ASSAY_ORDER_ANY)
    return "order " + std::to_string(algorithm.order);
  return "";
}

}  // namespace

Extents::Extents(std::string name, const std::vector<int64_t>& values, const CallRequest& request)
    : name_(std::move(name)), count_(values.size()) {
  constexpr size_t kBeside = 8;  // entries before, and behind
  const size_t bytes = count_ * sizeof(int64_t);
  const bool has_zones = request.beside == Beside::kZones || request.beside == Beside::kWideZones;
  if (!has_zones && pages_.hold(std::max(bytes, sizeof(int64_t)))) {
    std::byte* const begin = request.beside == Beside::kNothingBefore ? pages_.begin() : pages_.end() - bytes;
    data_ = reinterpret_cast<int64_t*>(begin);
  } else {
    constexpr uint8_t kLowest = 7;  // small sizes end soon
    padded_.resize(count_ + 2 * kBeside, request.stack_fill & kLowest);
    data_ = padded_.data() + kBeside;
  }
  std::copy(values.begin(), values.end(), data_);
}

void Extents::remember() const {
  if (pages_.capacity() == 0) return;
  const auto* const begin = reinterpret_cast<const std::byte*>(data_);
  remember_tensor({pages_.low(), begin, begin + count_ * sizeof(int64_t), pages_.high(), name_});
}

void AbiCall::remember_extents() const {
  for (const std::deque<Extents>* const all : {&shapes, &strides})
    for (const Extents& one : *all) one.remember();
}

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
                       .shape = shapes.emplace_back(kShapeOf + spec.name, spec.shape, request).data(),
                       .strides = strides.emplace_back(kStridesOf + spec.name, spec.strides_of_kernel(), request).data(),
                       .data = static_cast<std::byte*>(blocks[block_of(from, i)].address()) + before,
                       .bytes = spec.bytes_of_kernel() - before});
  }
  for (const auto& [name, value] : request.problem->parameters) parameters.push_back({name.c_str(), value});
  parameters.push_back({"schedule_seed", double(request.schedule_seed)});
  if (request.stack_fill != 0) parameters.push_back({"stack_fill", double(request.stack_fill)});
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
  return {
      .words = {}, .split_k = algorithm.split_k, .promote = algorithm.promote, .order = SaidAlgorithm::Order(algorithm.order)};
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
  if (execution.status == ASSAY_FAULTED) result.message.insert(0, "the device accepts no more calls: ");
  if (execution.status == ASSAY_HUNG) result.message.insert(0, "hung: ");
  return result;
}

// Consecutive calls of all ranks, as C ABI structs.

CallRow::CallRow(const std::vector<CallInRow>& row, size_t judged)
    : judged_(judged), ranks_(row[judged].request.problem->ranks), calls_(row.size()), pointers_(row.size()) {
  const CallRequest& request = row[judged].request;
  const int first = request.place ? request.place->first : 0;
  const int end = request.place ? first + request.place->count : ranks_;
  for (size_t i = 0; i < row.size(); ++i)
    for (int rank = first; rank < end; ++rank)
      pointers_[i].push_back(&calls_[i].emplace_back(row[i].request, row[i].buffers->blocks(), rank).call);
}

void CallRow::remember_extents() const {
  for (const AbiCall& one : calls_[judged_]) one.remember_extents();
}

bool CallRow::take(Workspaces& workspaces, void* group, std::string& reason) {
  for (size_t r = 0; r < own().size(); ++r) {
    std::vector<assay_call*> of_rank;
    for (std::deque<AbiCall>& step : calls_) of_rank.push_back(&step[r].call);
    if (!workspaces.give(of_rank, group, reason)) return false;
  }
  return true;
}

std::vector<assay_call*> CallRow::own_calls() {
  std::vector<assay_call*> calls;
  for (AbiCall& one : calls_[judged_]) calls.push_back(&one.call);
  return calls;
}

CallResult CallRow::not_well(const Execution& execution) const {
  for (size_t i = 0; i < calls_.size(); ++i)
    for (size_t first = 0; first < calls_[i].size(); ++first) {
      const AbiCall& said = calls_[i][first];
      if (said.words().empty()) continue;
      CallResult result = refused_by(execution, said);
      if (ranks_ > 1) result.message.insert(0, "rank " + std::to_string(said.call.rank) + ": ");
      for (size_t r = first + 1; r < calls_[i].size() && execution.status == ASSAY_HUNG; ++r)
        if (const std::string words = calls_[i][r].words(); !words.empty())
          result.message += "; rank " + std::to_string(calls_[i][r].call.rank) + ": " + words;
      // If ranks hang, it is unknown which of the consecutive calls hangs.
      if (i != judged_ && execution.status != ASSAY_HUNG)
        result.message.insert(0, i < judged_ ? kInTheCallBefore : kInTheCallBehind);
      return result;
    }
  return refused_by(execution, calls_[judged_].back());
}

}  // namespace assay
