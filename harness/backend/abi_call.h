// A call as structs of the C ABI: one call, several calls in a row, and the ways to launch them.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "assay/abi.h"
#include "harness/backend/call_memory.h"
#include "harness/core/call.h"
#include "reference/formats/format.h"

namespace assay {

// The launch of a call: on the default stream, on another stream, or from a graph.

/// Status of a call. `trouble` describes a failure that the kernel's own message does not, such as a failed synchronise().
struct Execution {
  assay_status status = ASSAY_OK;
  std::string trouble{};
};

/// execute() runs the calls and waits for them. The launch modes:
///
///   kDefault  on the default stream
///   kStream   on a stream that does not synchronize with the default stream. Calls of ranks are launched twice without a wait
///             between, which exposes races between a launch and the previous one.
///   kGraph    captured in a graph and replayed twice. `reset` restores the outputs before each replay, so that the final
///             outputs come from the last replay. A replay leaves out work that was not enqueued on the stream.
///
/// `run` makes the calls of one or several ranks on the given stream. Calls of several ranks are made once before the capture,
/// since a group cannot allocate memory during a capture. `reset` gets the number of the replay, 1 or 2.
///
/// Returns ASSAY_UNSUPPORTED if the library lacks the functions.
struct CallsToLaunch {
  std::vector<assay_call*> calls;
  std::function<assay_status()> run;
  std::function<bool(int replay)> reset;
  bool repeatable = false;  ///< no output is in place, so calls of several ranks may be launched twice
};
Execution execute(const assay_library& functions, const CallsToLaunch& launch, LaunchMode mode);
/// execute() for a single call of one rank.
inline Execution execute(const assay_library& functions, assay_call& call, LaunchMode mode, const std::function<bool()>& reset) {
  return execute(functions, {{&call}, [&] { return functions.run(&call); }, [&](int) { return reset(); }}, mode);
}

/// The ABI's type code of a format; its type_bits is format.bits. Throws std::logic_error if the ABI has no type for the format.
assay_type_code type_code_of(const Format& format);

/// The shape or the strides of a tensor, as a kernel gets them. Zeros lie before and behind the entries (other numbers under
/// CallRequest::stack_fill), so that a library that reads shape[ndim] computes the same in every run. Under
/// Beside::kNothingBehind and kNothingBefore, inaccessible memory lies there.
class Extents {
 public:
  Extents(std::string name, const std::vector<int64_t>& values, const CallRequest& request);
  const int64_t* data() const { return data_; }
  void remember() const;

 private:
  std::string name_;
  size_t count_;
  std::vector<int64_t> padded_;
  GuardedPages pages_;
  int64_t* data_ = nullptr;
};

/// The C structs of one rank's call and the memory they point to. Tensor i of the problem is stored in block i; the call gets
/// only the tensors of its rank.
struct AbiCall {
  AbiCall(const CallRequest& request, const std::vector<DeviceBlock>& blocks, int rank = 0);
  AbiCall(const AbiCall&) = delete;

  /// The library's message as one line.
  std::string words() const;
  /// The algorithm that the library reports, from `algorithm` or, for an older library, from its message.
  SaidAlgorithm said() const;

  /// Registers the shapes and strides for crash reports, if inaccessible memory lies beside them (CallRequest::beside). Call it
  /// after TensorNames is made.
  void remember_extents() const;

  std::vector<assay_tensor> tensors;
  std::deque<Extents> shapes, strides;  ///< of the tensors
  std::vector<assay_param> parameters;
  char message[1024] = {};
  assay_algorithm algorithm{.size = sizeof(assay_algorithm), .split_k = 0, .promote = 0, .order = ASSAY_ORDER_NOT_SAID};
  assay_call call;
};

/// A result without outputs.
CallResult refused(CallStatus status, std::string message);

/// A result for a device that stopped answering, before or after the kernel was called.
CallResult lost(const std::string& reason, bool reached_kernel);

/// A result for an execution that failed.
CallResult refused_by(const Execution& execution, const AbiCall& call);

// Consecutive calls of all ranks, as C ABI structs.

/// Prefixes of messages about calls other than the problem's own.
inline constexpr const char *kInTheCallBefore = "in an earlier call: ", *kInTheCallBehind = "in the following call: ";

/// A call of all ranks, and the buffers of its tensors.
struct CallInRow {
  CallRequest request;
  Buffers* buffers;
};

class CallRow {
 public:
  /// The calls of the ranks that this process holds. `judged`: index in `row` of the problem's own call.
  CallRow(const std::vector<CallInRow>& row, size_t judged);

  /// Allocates a workspace for each rank. Returns false, with a reason, if the allocation fails.
  bool take(Workspaces& workspaces, void* group, std::string& reason);

  const std::vector<std::vector<const assay_call*>>& all() const { return pointers_; }  ///< indices: call, rank
  const std::vector<const assay_call*>& own() const { return pointers_[judged_]; }  ///< the problem's own call of each rank
  /// Mutable access to the problem's own calls.
  std::vector<assay_call*> own_calls();
  /// AbiCall::remember_extents() of the problem's own call, on all ranks.
  void remember_extents() const;
  /// The algorithm that the library reports for the problem's own call.
  SaidAlgorithm said() const { return calls_[judged_].front().said(); }

  /// The result of a failed execution, with the first message of a call or, if ranks hang, the messages of all ranks.
  CallResult not_well(const Execution& execution) const;

 private:
  size_t judged_;
  int ranks_;
  std::deque<std::deque<AbiCall>> calls_;  ///< calls_[i]: call i of each rank
  std::vector<std::vector<const assay_call*>> pointers_;
};

}  // namespace assay
