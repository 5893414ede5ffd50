#include "suites/registry.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "harness/text/error.h"
#include "reference/table/near.h"
#include "suites/ops.h"
#include "suites/rulebook.h"

namespace assay {

const OpRegistry& shipped_ops() {
  static const OpRegistry ops({
#define ASSAY_OP(op) op##_op(),
#include "suites/ops.inc"
#undef ASSAY_OP
  });
  return ops;
}

const Op& OpRegistry::find(std::string_view name) const {
  std::vector<std::string> names;
  for (const Op& op : ops_) {
    if (op.name == name) return op;
    names.push_back(op.name);
  }
  throw std::out_of_range("unknown op '" + std::string(name) + "'" + did_you_mean(name, names));
}

const Op& OpRegistry::of_contract(const std::string& contract, const std::map<std::string, std::string>& parameters) const {
  const Op* first = nullptr;
  if (!rulebook().is_unit(contract)) (void)rulebook().contracts.find(contract);  // throws for one that does not exist
  for (const Op& op : ops_) {
    if (!op.takes(contract)) continue;
    if (first == nullptr) first = &op;
    const bool has_all = std::all_of(parameters.begin(), parameters.end(), [&](const auto& parameter) {
      return std::find(op.columns.begin(), op.columns.end(), parameter.first) != op.columns.end();
    });
    if (has_all) return op;
  }
  if (first == nullptr) throw UsageError("no op has contract '" + contract + "': it is only a stage of fused contracts; no op runs it alone");
  return *first;
}

}  // namespace assay
