// What a plug-in offers, a row a kernel: describe() and run() come from the same rows. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "assay/plugin/call.hpp"

namespace assay::plugin {

/// Text in JSON, whatever bytes it has.
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
/// Values are JSON already.
inline std::string object(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string out = "{";
  for (const auto& [key, value] : fields) out += (out.size() > 1 ? ", " : "") + quoted(key) + ": " + value;
  return out + "}";
}

/// Cells of a case parameter that a kernel takes: {"bf16", "f16"} or {32, 64}.
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

/// Bytes at the beginning of an area in which ranks say what went wrong.
inline constexpr size_t kAreaHead = 256;

/// Memory that every rank has beside its tensors, and that stays from call to call: flags, buffers for what peers send.
struct AreaRequest {
  int kind = 0;                                   ///< kernels that name one kind share it
  size_t bytes = kAreaHead;                       ///< of one rank
  void (*fill)(unsigned char* area, size_t bytes) = nullptr;  ///< what it holds at first; nullptr: zeros
  uint32_t counter = 0;  ///< where its counts of calls and of barriers stand at first: parameter "counter"
  void (*begin_at)(unsigned char* area, uint32_t counter) = nullptr;  ///< puts them there
};

/// What a rank sees of the others of its group.
struct Ranks {
  int32_t size;
  const assay_call* const* calls;  ///< [size] in the order of ranks
  void* const* areas;              ///< [size] likewise
  size_t area_bytes;
  uint64_t earlier_calls;          ///< that were made on these areas
  /// Of ranks that other processes hold: whether one of these processes has ended. Null: all ranks are of this process.
  bool (*lost)(const void* of) = nullptr;
  const void* of = nullptr;
};

/// A row. C is what run() reads: Call, or a class that is made of an assay_call and says which exception is its DeviceError.
template <class C>
struct KernelOf {
  std::string name, op;
  std::vector<std::string> contracts;
  Accepts accepts;                                ///< a case parameter that is not named is free
  MultipleOf multiple_of;                         ///< what must divide a case parameter
  void (*run)(const C&);                          ///< enqueues and does not wait; throws to refuse
  std::string fault = {}, cites = {}, twin = {};  ///< kernels that are wrong on purpose

  // Of kernels whose ranks wait for each other; run refuses then.
  AreaRequest (*area)(const C&) = nullptr;
  /// Runs or enqueues the ranks first .. first + count - 1, all of one process and device; C is the call of the first of them.
  void (*run_ranks)(const C&, const Ranks&, int first, int count) = nullptr;
  /// On host memory: made by the thread of a rank before its first call of those in a row, released behind the last. Null:
  /// nothing.
  std::shared_ptr<void> (*enter)(const C&, const Ranks&, int rank) = nullptr;
  /// What a rank said in the head of its area, once all have ended: empty, or for whom it waited in vain.
  std::string (*complaint)(const unsigned char* head, int rank) = nullptr;
};

/// The rows of several files, in their order.
template <class C>
std::vector<KernelOf<C>> joined(std::initializer_list<std::vector<KernelOf<C>>> parts) {
  std::vector<KernelOf<C>> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

struct Identity {
  std::string name, arch, device, driver, toolkit;
  bool honours_schedule_seed = false;  ///< parameter "schedule_seed" orders the library's threads
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

/// Writes a message where the call wants it, cut to its room.
inline assay_status report(const assay_call* call, assay_status status, const std::string& message) {
  if (call && call->message && call->message_bytes > 0) {
    const size_t length = std::min(message.size(), call->message_bytes - 1);
    std::memcpy(call->message, message.data(), length);
    call->message[length] = '\0';
  }
  return status;
}

/// Kernels of one name may are in several rows, each for its contracts.
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
  unsupported("kernel '" + name + "' does not do op '" + op + "' by contract '" + contract + "'");
}

/// Finds the row by name, op and contract and runs it. No exception leaves it; `others` is what those that are no Refusal make of
/// the call: ASSAY_FAILED, or ASSAY_UNSUPPORTED where kernels throw to say what they do not take.
template <class C>
assay_status run(const std::vector<KernelOf<C>>& kernels, const assay_call* call, assay_status others = ASSAY_FAILED) {
  if (!call) return ASSAY_FAILED;
  try {
    const C checked(*call);
    const KernelOf<C>& kernel = select(kernels, *call);
    if (!kernel.run) unsupported("kernel '" + kernel.name + "' is one of several ranks, which are called together");
    kernel.run(checked);
    return ASSAY_OK;
  } catch (const Refusal& refusal) {
    return report(call, refusal.status, refusal.what());
  } catch (const typename C::DeviceError& error) {
    return report(call, ASSAY_DEVICE_LOST, error.what());
  } catch (const std::exception& error) {
    return report(call, others, error.what());
  } catch (...) {
    return report(call, ASSAY_FAILED, "the kernel threw something that is no std::exception");
  }
}

}  // namespace assay::plugin
