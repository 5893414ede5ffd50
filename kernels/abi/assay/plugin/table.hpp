// The table of a plug-in, one row per kernel. describe() lists its rows, and run() calls them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "assay/plugin/call.hpp"

namespace assay::plugin {

/// The text as a JSON string; the text may contain any bytes.
inline std::string quoted(const std::string& text) {
  static const char* const kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (byte < 0x20) {
      out += std::string("\\u00") + kHex[byte >> 4] + kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}
inline std::string array(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const std::string& item : items) out += (out.size() > 1 ? ", " : "") + item;
  return out + "]";
}
/// A JSON object from names and values; the values must be JSON text already.
inline std::string object(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string out = "{";
  for (const auto& [key, value] : fields) out += (out.size() > 1 ? ", " : "") + quoted(key) + ": " + value;
  return out + "}";
}

/// Values of a case parameter that a kernel accepts, such as {"bf16", "f16"} or {32, 64}.
class Values {
 public:
  struct Cell {
    Cell(const char* text) : json(quoted(text)) {}
    Cell(const std::string& text) : json(quoted(text)) {}
    Cell(int number) : json(std::to_string(number)) {}
    std::string json;
  };
  Values(std::initializer_list<Cell> cells) {
    for (const Cell& cell : cells) cells_.push_back(cell.json);
  }
  template <size_t kCount>
  Values(const int (&numbers)[kCount]) {
    for (const int number : numbers) cells_.push_back(std::to_string(number));
  }
  std::string json() const { return array(cells_); }

 private:
  std::vector<std::string> cells_;
};

using Accepts = std::vector<std::pair<std::string, Values>>;
using MultipleOf = std::vector<std::pair<std::string, int64_t>>;

/// Size in bytes of the head of an area (see AreaRequest), in which a rank records its error.
inline constexpr size_t kAreaHead = 256;

/// Requests an area: memory of each rank besides its tensors, kept between calls, such as flags and receive buffers.
struct AreaRequest {
  int kind = 0;                                   ///< kernels that request the same kind share the area
  size_t bytes = kAreaHead;                       ///< size for one rank
  void (*fill)(unsigned char* area, size_t bytes) = nullptr;  ///< sets the initial contents; nullptr: zeros
  uint32_t counter = 0;  ///< start value of call and barrier counters, from the parameter "counter"
  void (*begin_at)(unsigned char* area, uint32_t counter) = nullptr;  ///< writes the start value `counter` into the area
};

/// What a rank knows about the other ranks of its group.
struct Ranks {
  int32_t size;
  const assay_call* const* calls;  ///< [size]: the call of each rank
  void* const* areas;              ///< [size]: the area of each rank
  size_t area_bytes;
  uint64_t earlier_calls;          ///< number of earlier calls on these areas
  /// Returns true if a process that holds other ranks has ended. nullptr: all ranks are in this process.
  bool (*lost)(const void* of) = nullptr;
  const void* of = nullptr;
};

/// A row of the table. C is the type that run() receives: Call, or a class constructed from an assay_call that defines
/// DeviceError.
template <class C>
struct KernelOf {
  std::string name, op;
  std::vector<std::string> contracts;
  Accepts accepts;                                ///< a case parameter that is not listed may have any value
  MultipleOf multiple_of;                         ///< divisors that a case parameter must have
  void (*run)(const C&);                          ///< enqueues without waiting; throws to reject the call
  std::string fault = {}, cites = {}, twin = {};  ///< only for deliberately wrong kernels

  // The rest is only for kernels whose ranks wait for each other. Their `run` is nullptr or rejects calls.
  AreaRequest (*area)(const C&) = nullptr;
  /// Runs or enqueues the ranks first .. first + count - 1, all on one process and device. C is the call of rank `first`.
  void (*run_ranks)(const C&, const Ranks&, int first, int count) = nullptr;
  /// Host memory only. Each rank calls it before its first back-to-back call, and releases the result after the last call.
  /// nullptr: nothing to set up.
  std::shared_ptr<void> (*enter)(const C&, const Ranks&, int rank) = nullptr;
  /// Reads the error that a rank recorded at the start of its area, after all ranks have ended. Returns "", or a message that names
  /// the peer that the rank waited for in vain.
  std::string (*complaint)(const unsigned char* head, int rank) = nullptr;
  /// Host memory only, for groups in one process. Runs rank(of, 0) to rank(of, count - 1), which wait for each other and do
  /// not throw. nullptr: one thread per rank.
  void (*side_by_side)(int count, void (*rank)(void* of, int index), void* of) = nullptr;
};

/// Concatenates the rows of several files.
template <class C>
std::vector<KernelOf<C>> joined(std::initializer_list<std::vector<KernelOf<C>>> parts) {
  std::vector<KernelOf<C>> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

struct Identity {
  std::string name, arch, device, driver, toolkit;
  bool honours_schedule_seed = false;  ///< the parameter "schedule_seed" sets the order in which the library's threads run
};

template <class C>
std::string describe(const KernelOf<C>& kernel) {
  std::vector<std::string> contracts;
  for (const std::string& contract : kernel.contracts) contracts.push_back(quoted(contract));
  std::vector<std::pair<std::string, std::string>> accepts, multiple_of;
  for (const auto& [parameter, values] : kernel.accepts) accepts.emplace_back(parameter, values.json());
  for (const auto& [parameter, divisor] : kernel.multiple_of) multiple_of.emplace_back(parameter, std::to_string(divisor));
  std::vector<std::pair<std::string, std::string>> fields = {{"name", quoted(kernel.name)},
                                                             {"op", quoted(kernel.op)},
                                                             {"contracts", array(contracts)},
                                                             {"accepts", object(accepts)},
                                                             {"multiple_of", object(multiple_of)}};
  if (!kernel.fault.empty()) {
    fields.emplace_back("fault", quoted(kernel.fault));
    fields.emplace_back("cites", quoted(kernel.cites));
    fields.emplace_back("twin", quoted(kernel.twin));
  }
  return object(fields);
}

template <class C>
std::string describe(const Identity& identity, const std::vector<KernelOf<C>>& kernels) {
  std::vector<std::string> rows;
  for (const auto& kernel : kernels) rows.push_back("\n  " + describe(kernel));
  return object({{"name", quoted(identity.name)},
                 {"arch", quoted(identity.arch)},
                 {"device", quoted(identity.device)},
                 {"driver", quoted(identity.driver)},
                 {"toolkit", quoted(identity.toolkit)},
                 {"honours_schedule_seed", identity.honours_schedule_seed ? "true" : "false"},
                 {"kernels", array(rows)}});
}

/// Copies a message into the call's buffer and truncates it to fit.
inline assay_status report(const assay_call* call, assay_status status, const std::string& message) {
  if (call && call->message && call->message_bytes > 0) {
    const size_t length = std::min(message.size(), call->message_bytes - 1);
    std::memcpy(call->message, message.data(), length);
    call->message[length] = '\0';
  }
  return status;
}

/// Finds the row of a call. A kernel name may appear in several rows, each with its own contracts.
template <class C>
const KernelOf<C>& select(const std::vector<KernelOf<C>>& kernels, const assay_call& call) {
  const std::string name = call.kernel ? call.kernel : "", op = call.op ? call.op : "",
                    contract = call.contract ? call.contract : "";
  bool known = false;
  for (const auto& kernel : kernels) {
    if (kernel.name != name) continue;
    known = true;
    if (kernel.op == op && std::count(kernel.contracts.begin(), kernel.contracts.end(), contract) > 0) return kernel;
  }
  if (!known) unsupported("no kernel '" + name + "'");
  unsupported("kernel '" + name + "' does not support op '" + op + "' by contract '" + contract + "'");
}

/// Finds the row by kernel, op and contract, and runs it. Never throws. `others` is the status for exceptions other than
/// Refusal: ASSAY_FAILED, or ASSAY_UNSUPPORTED if the library's kernels throw such exceptions to reject a call.
template <class C>
assay_status run(const std::vector<KernelOf<C>>& kernels, const assay_call* call, assay_status others = ASSAY_FAILED) {
  if (!call) return ASSAY_FAILED;
  try {
    const C checked(*call);
    const KernelOf<C>& kernel = select(kernels, *call);
    if (!kernel.run) unsupported("kernel '" + kernel.name + "' needs the calls of all ranks at once (run_group)");
    kernel.run(checked);
    return ASSAY_OK;
  } catch (const Refusal& refusal) {
    return report(call, refusal.status, refusal.what());
  } catch (const typename C::DeviceError& error) {
    return report(call, ASSAY_DEVICE_LOST, error.what());
  } catch (const std::exception& error) {
    return report(call, others, error.what());
  } catch (...) {
    return report(call, ASSAY_FAILED, "the kernel threw an object that is not a std::exception");
  }
}

}  // namespace assay::plugin
