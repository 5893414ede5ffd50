#include "kernels/ops/catalogue.h"

#include <algorithm>
#include <cstring>

namespace assay_kernels {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) out += c;
  }
  return out + '"';
}

std::string object(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string out = "{";
  for (const auto& [key, value] : fields) out += (out.size() > 1 ? ", " : "") + quoted(key) + ": " + value;
  return out + "}";
}

std::string array(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const auto& item : items) out += (out.size() > 1 ? ", " : "") + item;
  return out + "]";
}

std::string describe(const Kernel& kernel) {
  std::vector<std::string> contracts;
  for (const auto& contract : kernel.contracts) contracts.push_back(quoted(contract));
  std::vector<std::pair<std::string, std::string>> fields = {{"name", quoted(kernel.name)},
                                                             {"op", quoted(kernel.op)},
                                                             {"contracts", array(contracts)},
                                                             {"accepts", object(kernel.accepts)},
                                                             {"multiple_of", object(kernel.multiple_of)}};
  if (!kernel.fault.empty()) {
    fields.emplace_back("fault", quoted(kernel.fault));
    fields.emplace_back("cites", quoted(kernel.cites));
    fields.emplace_back("twin", quoted(kernel.twin));
  }
  return object(fields);
}

const Kernel& select(const std::vector<Kernel>& kernels, const assay_call& call) {
  bool known = false;
  for (const auto& kernel : kernels) {
    if (!call.kernel || kernel.name != call.kernel) continue;
    known = true;
    const bool same_op = call.op && kernel.op == call.op;
    if (same_op && std::count(kernel.contracts.begin(), kernel.contracts.end(), call.contract) > 0) return kernel;
  }
  if (!known) unsupported(std::string("no kernel '") + (call.kernel ? call.kernel : "") + "'");
  unsupported("kernel '" + std::string(call.kernel) + "' does not do op '" + (call.op ? call.op : "") + "' by contract '" +
              call.contract + "'");
}

}  // namespace

std::string describe(const Identity& identity, const std::vector<Kernel>& kernels) {
  std::vector<std::string> rows;
  for (const auto& kernel : kernels) rows.push_back("\n  " + describe(kernel));
  return object({{"name", quoted(identity.name)},
                 {"arch", quoted(identity.arch)},
                 {"device", quoted(identity.device)},
                 {"driver", quoted(identity.driver)},
                 {"toolkit", quoted(identity.toolkit)},
                 {"honours_schedule_seed", identity.arch == "cpu" ? "true" : "false"},
                 {"kernels", array(rows)}});
}

assay_status report(const assay_call* call, assay_status status, const std::string& message) {
  if (call && call->message && call->message_bytes > 0) {
    const size_t length = std::min(message.size(), call->message_bytes - 1);
    std::memcpy(call->message, message.data(), length);
    call->message[length] = '\0';
  }
  return status;
}

assay_status run(const std::vector<Kernel>& kernels, const assay_call* call) {
  if (!call) return ASSAY_FAILED;
  try {
    const Call checked(*call);
    select(kernels, *call).run(checked);
    return ASSAY_OK;
  } catch (const Refusal& refusal) {
    return report(call, refusal.status, refusal.what());
  } catch (const simt::DeviceError& error) {
    return report(call, ASSAY_DEVICE_LOST, error.what());
  } catch (const std::exception& error) {
    return report(call, ASSAY_FAILED, error.what());
  } catch (...) {
    return report(call, ASSAY_FAILED, "the kernel threw something that is no std::exception");
  }
}

}  // namespace assay_kernels
