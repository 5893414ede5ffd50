#include "harness/core/op.h"

#include <stdexcept>
#include <utility>

namespace assay {

Access access_of(const HostTensor& tensor) {
  if (tensor.spec.role == Role::kInput) return Access::kIn;
  return tensor.bytes.empty() || !tensor.spec.shares.empty() ? Access::kOut : Access::kInOut;
}

const char* name(Access access) {
  switch (access) {
    case Access::kIn:
      return "input";
    case Access::kOut:
      return "output";
    case Access::kInOut:
      break;
  }
  return "in place";
}

std::string SaidAlgorithm::text() const {
  std::string text = words;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (split_k != 0) add("split-K " + std::to_string(split_k));
  if (promote != 0) add(promote < 0 ? "never promoted" : "promoted every " + std::to_string(promote));
  if (order != Order::kNotSaid) add(order == Order::kAny ? "added in any order" : "added in ascending order");
  return text;
}

Case with_cells(Case one, const CellChanges& cells) {
  for (const auto& [column, cell] : cells) one.parameters[column] = cell;
  return one;
}

CaseOfRows BoundCase::with_rows(const Problem&, const std::vector<int64_t>&) const {
  throw std::logic_error("rows of this case depend on each other");
}

Case checked_case(const Op& op, Case one) {
  const std::unique_ptr<const BoundCase> bound = op.bind(one);
  one.set_name(bound->name());
  if (std::string arch = bound->arch(); !arch.empty()) one.parameters["arch"] = std::move(arch);
  return one;
}

}  // namespace assay
