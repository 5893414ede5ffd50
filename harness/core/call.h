// One call of one kernel, as asked and as answered. The same two values are sent to a worker process.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/byte_range.h"
#include "harness/core/case.h"
#include "harness/core/op.h"

namespace assay {

/// A kernel as its library's describe() offers it.
struct KernelOffer {
  std::string name;
  std::string op;
  std::vector<std::string> contracts{};
  std::map<std::string, std::vector<std::string>> accepts{};  ///< case parameter -> cells it takes; one not named is free
  std::map<std::string, int64_t> multiple_of{};               ///< case parameter -> what must divide it
  std::string fault{}, cites{}, twin{};                       ///< faulty kernels only
};

struct LibraryInfo {
  std::string path;
  std::string name, arch, device, driver, toolkit;
  std::vector<KernelOffer> kernels;
  bool honours_schedule_seed = false;  ///< runs its threads in an order drawn from "schedule_seed", so that a race shows
  bool joins_groups = false;           ///< ranks of a group may be in several processes
  std::vector<std::string> notes{};    ///< what it did to this process while it was loaded, such as to the rounding mode

  /// The first offer of that name, or null.
  const KernelOffer* find_kernel(std::string_view wanted) const {
    for (const KernelOffer& kernel : kernels)
      if (kernel.name == wanted) return &kernel;
    return nullptr;
  }
};

/// How a call reaches its kernel; see launch_mode.h.
enum class LaunchMode : uint8_t { kDefault, kStream, kGraph };

/// Which ranks of a problem the called process holds, where several processes do; the problem has their tensors alone.
struct RankPlace {
  int first = 0, count = 0;
  std::string folder;  ///< of this call alone, which all of these processes see: assay_place::folder
};

struct CallRequest {
  std::string op, contract, kernel;
  const Problem* problem = nullptr;
  uint64_t schedule_seed = 0;  ///< parameter "schedule_seed" of the call: the order in which a CPU library runs its threads
  LaunchMode mode = LaunchMode::kDefault;
  std::optional<RankPlace> place{};
};

/// kNotCalled: the harness did not make the call, so nothing can be said about the kernel here.
enum class CallStatus : uint8_t { kOk, kUnsupported, kFailed, kDeviceLost, kBroken, kNotCalled };

struct CallResult {
  CallStatus status = CallStatus::kOk;
  std::string message;  ///< why it is not ok: the library's words, or what broke
  SaidAlgorithm said;   ///< ok: the algorithm by which the library says that it made its outputs; mostly empty
  std::vector<HostTensor> outputs;
  std::vector<std::vector<ByteRange>> untouched;  ///< of each output: bytes of storage that were never written, ascending
  std::vector<bool> in_place;                     ///< of each output: it came with data, so an untouched byte may be an answer
  double seconds = 0;                             ///< wall time of run and synchronise
  bool reached_kernel = true;  ///< false: the device was lost before the kernel was called, so the call did not do it
  bool poisoned = false;       ///< the device answers this process no more (a sticky error); a new process may have it again
};

/// What a watch on the device saw of a call (watch.h).
struct WatchedResult {
  CallResult call;             ///< without outputs
  std::vector<int32_t> wrong;  ///< wrong codes of each 2^15 inputs; empty if the call did not end well
};

/// A kernel library that can be called, in this process or in another.
struct Backend {
  std::string name;  ///< as on the command line, for repro lines
  LibraryInfo library;
  std::function<CallResult(const CallRequest&)> call;  ///< one at a time
  std::function<WatchedResult(const CallRequest&, uint32_t first, const std::vector<CodeStep>&)> watched_call = {};  ///< or empty
};

}  // namespace assay
