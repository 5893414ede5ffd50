#include "harness/cli/call_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <tuple>

namespace assay {
namespace {

std::string list(const std::vector<int64_t>& numbers) { return fmt::format("[{}]", fmt::join(numbers, ", ")); }

template <class Spec>
std::string what(const std::vector<Spec>& specs, const std::string& name) {
  for (const Spec& spec : specs)
    if (spec.name == name) return spec.what;
  return "";
}

std::string tensor_text(const Op& op, const HostTensor& tensor) {
  const TensorSpec& spec = tensor.spec;
  std::string text = fmt::format("tensor    {:<14} {:<8} {:<8} {} strides {}, {} elements in {} bytes{}", spec.name,
                                 name(access_of(tensor)), spec.format->name, list(spec.shape), list(spec.strides), spec.storage,
                                 spec.bytes(), spec.packed ? ", two in a byte, the first in its low half" : "");
  if (spec.offset > 0)
    text += fmt::format(", data starts {} bytes after an aligned address", spec.byte_of(spec.offset));
  const std::string says = what(op.roles, spec.name);
  return text + "\n" + (says.empty() ? "" : "          " + says + "\n");
}

/// A list as indented lines, wrapped.
std::string wrapped(const std::vector<std::string>& words, size_t indent) {
  constexpr size_t kWidth = 120;
  std::string text;
  size_t column = indent;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string word = words[i] + (i + 1 < words.size() ? ", " : "");
    if (column + word.size() > kWidth && column > indent) {
      text += "\n" + std::string(indent, ' ');
      column = indent;
    }
    text += word;
    column += word.size();
  }
  return text + "\n";
}

}  // namespace

std::string call_text(const Op& op, const Case& one, const BoundCase& bound, const Problem& problem) {
  std::string text;
  for (const auto& [parameter, value] : problem.parameters)
    text += fmt::format("parameter {} = {}   {}\n", parameter, value, what(op.parameters, parameter));
  for (const HostTensor& tensor : problem.tensors) text += tensor_text(op, tensor);
  for (const std::string& line : bound.layouts()) text += "layout    " + line + "\n";
  text += "accepts  ";
  for (const std::string& column : op.columns)
    if (column != "contract" && !one.text(column).empty()) text += fmt::format(" {}={}", column, one.text(column));
  return text + "\n";
}

std::string op_text(const Op& op, const std::vector<Case>& cases) {
  std::string text = fmt::format("op {}\n", op.name);
  for (const RoleSpec& role : op.roles) text += fmt::format("tensor    {:<18} {:<8} {}\n", role.name, name(role.access), role.what);
  for (const ParameterSpec& parameter : op.parameters) text += fmt::format("parameter {:<18} {}\n", parameter.name, parameter.what);
  std::set<std::string> contracts;
  for (const Case& one : cases)
    if (one.op == op.name) contracts.insert(one.text("contract"));
  text += "contracts " + wrapped({contracts.begin(), contracts.end()}, 10);
  text += "keys of a kernel's `accepts` and `multiple_of`, with the values in the cases; a key that is not named is free\n";
  for (const std::string& column : op.columns) {
    if (column == "contract") continue;
    std::set<std::string> cells;
    for (const Case& one : cases)
      if (one.op == op.name && !one.text(column).empty()) cells.insert(one.text(column));
    std::vector<std::string> sorted(cells.begin(), cells.end());
    const auto by_number = [](const std::string& cell) {
      const bool number = std::all_of(cell.begin(), cell.end(), ::isdigit);
      return std::tuple(!number, number ? cell.size() : 0, cell);
    };
    std::sort(sorted.begin(), sorted.end(), [&](const auto& a, const auto& b) { return by_number(a) < by_number(b); });
    text += fmt::format("  {:<16} ", column) + wrapped(sorted, 19);
  }
  return text;
}

}  // namespace assay
