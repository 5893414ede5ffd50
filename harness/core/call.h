// The request for a call of a kernel, and its result. A worker process can receive the request and send back the result.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/op.h"
#include "harness/core/tensor.h"

namespace assay {

/// A kernel as advertised by its library's describe().
struct KernelOffer {
  std::string name;
  std::string op;
  std::vector<std::string> contracts{};
  std::map<std::string, std::vector<std::string>> accepts{};  ///< case parameter -> cells that the kernel accepts; a
                                                              ///< parameter that is not listed may have any value
  std::map<std::string, int64_t> multiple_of{};               ///< case parameter -> required divisor
  std::string fault{}, cites{}, twin{};                       ///< if wrong on purpose: mistake, its source, correct kernel
};

struct LibraryInfo {
  std::string path;
  std::string name, arch, device, driver, toolkit;
  std::vector<KernelOffer> kernels;
  bool honours_schedule_seed = false;  ///< runs its threads in an order drawn from parameter "schedule_seed", to expose races
  bool joins_groups = false;           ///< it can divide the ranks of a group between several processes
  std::vector<std::string> notes{};    ///< side effects of loading the library on this process, such as a changed rounding mode

  /// The first kernel of that name, or null.
  const KernelOffer* find_kernel(std::string_view wanted) const {
    for (const KernelOffer& kernel : kernels)
      if (kernel.name == wanted) return &kernel;
    return nullptr;
  }
};

/// How a call is launched; see execute() in backend/abi_call.h.
enum class LaunchMode : uint8_t { kDefault, kStream, kGraph };

/// The ranks of one process, if several processes divide the ranks of a call. Its request has only the tensors of these ranks.
struct RankPlace {
  int first = 0, count = 0;
  std::string folder;  ///< a folder that all of these processes can use during this call: assay_place::folder
};

/// The names of a tensor's shape and strides in the message of a crash, before the name of the tensor.
inline const std::string kShapeOf = "shape of ", kStridesOf = "strides of ";

/// What lies beside each tensor in host memory, and beside its shape and strides. kZones: guard zones, compared after the call;
/// zeros beside shapes and strides. kNothingBefore and kNothingBehind: inaccessible memory directly before or behind it. An access
/// there crashes, which shows its place in the code. kNothingBehind aligns tensors to 16 bytes, so up to 15 bytes may lie behind them;
/// kNothingExactlyBehind aligns them only to their elements. kWideZones: guard zones of 1 MiB, in which a call that otherwise
/// crashes may end.
enum class Beside : uint8_t { kZones, kNothingBefore, kNothingBehind, kNothingExactlyBehind, kWideZones };

struct CallRequest {
  std::string op, contract, kernel;
  const Problem* problem = nullptr;
  uint64_t schedule_seed = 0;  ///< sent as parameter "schedule_seed": the order in which a CPU library runs its threads
  LaunchMode mode = LaunchMode::kDefault;
  std::optional<RankPlace> place{};
  Beside beside = Beside::kZones;
  /// Indices of tensors whose host memory cannot be accessed during the call. An access crashes, and the message names the
  /// tensor: "read inside 'x'".
  std::vector<int32_t> closed{};
  /// If not 0, the stack is filled before the call with 32-bit words that have this highest byte. Under two fills, a kernel that
  /// reads an uninitialized local variable returns different bits. Also sent as parameter "stack_fill", for a library's threads
  /// and the shared memory of their blocks. The entries beside shapes and strides then hold its lowest three bits instead of 0.
  uint8_t stack_fill = 0;
};

/// Status of a call. kNotCalled: the harness did not make the call, so the result says nothing about the kernel.
enum class CallStatus : uint8_t { kOk, kUnsupported, kFailed, kDeviceLost, kBroken, kNotCalled };

/// In the message of a crash: what the library's own checks had reported follows; see CallResult::undefined.
inline constexpr const char* kBeforeCrash = "; before that: ";

struct CallResult {
  CallStatus status = CallStatus::kOk;
  std::string message;  ///< why the status is not kOk: the library's message, or what broke
  SaidAlgorithm said;   ///< if kOk: the algorithm that the library reported; usually empty
  std::vector<HostTensor> outputs;
  std::vector<std::vector<ByteRange>> untouched;  ///< for each output: bytes of storage that were never written, ascending
  std::vector<bool> in_place;                     ///< for each output: true if it held data before; it may then stay unwritten
  double seconds = 0;                             ///< wall time of run and synchronise
  bool reached_kernel = true;  ///< false: the device was lost before the kernel was called, so the kernel is not the cause
  /// What checks in the library reported that the compiler put there (-fsanitize=bounds): "outside: index -1 of an array of type
  /// 'float [8]' (at mine.h:12)". Usually empty.
  std::string undefined{};
  bool poisoned = false;       ///< sticky error: the device refuses further calls of this process; a new process may succeed
};

/// Result of a call whose outputs an on-device checker compared (watch.h).
struct WatchedResult {
  CallResult call;             ///< has no outputs
  std::vector<int32_t> wrong;  ///< for each 2^15 consecutive inputs: number of wrong output codes; empty if the call failed
};

/// A kernel library that can be called, in this process or in a worker process.
struct Backend {
  std::string name;  ///< as given on the command line; repro commands contain it
  LibraryInfo library;
  std::function<CallResult(const CallRequest&)> call;  ///< calls from several threads take turns
  /// Empty if there is no on-device checker.
  std::function<WatchedResult(const CallRequest&, uint32_t first, const std::vector<CodeStep>&)> watched_call = {};
  bool contains_crashes = false;  ///< a crash in a call ends only a worker process, not the harness
};

}  // namespace assay
