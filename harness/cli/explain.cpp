#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "harness/cli/places.h"
#include "harness/cli/power.h"
#include "harness/cli/verbs.h"
#include "harness/core/op.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/visibility.h"
#include "harness/report/console.h"
#include "harness/report/verdict_text.h"
#include "harness/run/run.h"
#include "harness/text/messages.h"
#include "suites/registry.h"

namespace assay {

// Text about a call as a kernel receives it.

/// Lists parameters, tensors (role, format, shape, strides, bytes), storage layouts, and the cells of the case that `accepts` may name.
std::string call_text(const Op& op, const Case& one, const BoundCase& bound, const Problem& problem);

/// Lists the tensors and parameters that calls of an op may have, its contracts, and the values in the columns of its cases.
std::string op_text(const Op& op, const std::vector<Case>& cases);

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

/// The words, separated by commas and wrapped into indented lines.
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
  for (const RoleSpec& role : op.roles)
    text += fmt::format("tensor    {:<18} {:<8} {}\n", role.name, name(role.access), role.what);
  for (const ParameterSpec& parameter : op.parameters)
    text += fmt::format("parameter {:<18} {}\n", parameter.name, parameter.what);
  std::set<std::string> contracts;
  for (const Case& one : cases)
    if (one.op == op.name) contracts.insert(one.text("contract"));
  text += "contracts " + wrapped({contracts.begin(), contracts.end()}, 10);
  text +=
      "keys that a kernel can have in `accepts` and `multiple_of`, with the values that cases have; a key that you leave out "
      "allows every value\n";
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

namespace {

void print_case(const Op& op, const Case& one, const BoundCase& bound, const Problem& problem) {
  fmt::print("case      {}\n", one.id);
  fmt::print("row       {}  {}\n", one.origin.text(), printable(one.why));
  fmt::print("{}", call_text(op, one, bound, problem));
  fmt::print("\ncontract {}\n", one.text("contract"));
  for (const std::string& line : bound.formulas()) fmt::print("  {}\n", line);
}

void print_power(const BoundCase& bound) {
  const VisibilityReport report = fault_visibility(bound);
  const std::vector<Visibility>& all = report.faults;
  const auto real = std::count_if(all.begin(), all.end(), [](const Visibility& v) { return v.equivalent.empty(); });
  const auto visible = std::count_if(all.begin(), all.end(), [](const Visibility& v) { return v.visible(); });
  fmt::print("\nthese inputs expose {} of {} mutants of the contract\n", visible, real);
  for (const Visibility& v : all) {
    if (!v.equivalent.empty())
      fmt::print("  equivalent  {}: {}\n", v.fault, v.equivalent);
    else if (!v.visible())
      fmt::print("  blind to    {}\n", v.fault);
    else
      fmt::print("  exposes     {} in {:.3g} % of elements\n", v.fault, 100.0 * double(v.outside) / double(v.elements));
  }
  for (const DataPower& data : report.data) fmt::print("  visits      {}\n", data_text(data));
}

void print_kernel(const KernelOffer& kernel) {
  fmt::print("\nkernel {}\n", kernel.name);
  if (kernel.fault.empty()) return;
  fmt::print("  deliberately wrong: {} ({}); correct version: {}\n", kernel.fault, kernel.cites, kernel.twin);
}

/// Rows and columns of a tensor; leading dimensions are flattened into rows.
std::array<int64_t, 2> matrix_of(const TensorSpec& spec) {
  const int64_t columns = spec.shape.size() > 1 ? spec.shape.back() : 1;
  return {spec.elements() / std::max<int64_t>(1, columns), columns};
}

/// Row and column to trace: those of --element; without it, those of the worst element of the first output with wrong elements;
/// if there is none, those of the first violation. `shape`: rows and columns of the traced tensor. If the worst element is a
/// scale: the first column of its group.
std::array<int64_t, 2> element_to_trace(const ExplainArguments& arguments, const Verdict& verdict, const std::array<int64_t, 2>& shape) {
  if (!arguments.element.empty()) return {arguments.element[0], arguments.element[1]};
  for (const TensorFinding& finding : verdict.tensors) {
    if (finding.outside == 0) continue;
    if (finding.worst.at[0] >= shape[0]) continue;  // this output has more rows than the traced tensor
    const int64_t apart = std::max<int64_t>(1, shape[1] / finding.shape[1]);
    return {finding.worst.at[0], std::min(shape[1] - 1, finding.worst.at[1] * apart)};
  }
  for (const Violation& violation : verdict.violations)
    for (const Place& place : violation.places)
      if (place.row < shape[0]) return {place.row, std::max<int64_t>(0, place.column)};
  return {0, 0};
}

}  // namespace

int explain_verb(const ExplainArguments& arguments) {
  const std::vector<Case> cases = open_cases_for(arguments.suites, {.cases = {arguments.case_id}});
  const Case& one = case_named(cases, arguments.case_id);
  const Op& op = arguments.suites.ops->find(one.op);
  const std::unique_ptr<const BoundCase> bound = op.bind(one);
  const Problem problem = bound->problem();
  print_case(op, one, *bound, problem);
  if (arguments.call_only) return kAllAsExpected;
  print_power(*bound);

  const Backend backend = open_backend(*arguments.suites.ops, {arguments.backend, false, 60});
  RunOptions options;
  options.kernel_glob = arguments.kernel;
  options.each.diagnose = look_for_causes(backend, WorkBudget::kShort, other_contracts);
  options.each.remarks = Remarks::kOfAll;
  const PowerRecords records = recorded_power({one});
  options.each.power =
      power_of_data([&](const Case& of) { return records.find(of); });  // `assay run` uses these records too, so both give equal verdicts
  const RunResult result = run_all(arguments.suites.ops->all(), {one}, backend, options);
  const std::string traced = bound->traced().empty() ? problem.tensors.front().spec.name : bound->traced();
  const std::array<int64_t, 2> shape = matrix_of(find(problem.tensors, traced).spec);
  std::array<int64_t, 2> element = element_to_trace(arguments, Verdict{}, shape);
  for (const Verdict& verdict : result.verdicts) {
    if (const KernelOffer* kernel = backend.library.find_kernel(verdict.kernel)) print_kernel(*kernel);
    fmt::print("{}", failure_text(verdict));
    element = element_to_trace(arguments, verdict, shape);
  }
  if (element[0] < 0 || element[0] >= shape[0] || element[1] < 0 || element[1] >= shape[1])
    throw UsageError(fmt::format("--element {} {}: expected an element of {}, which has shape [{}, {}]", element[0], element[1],
                                 traced, shape[0], shape[1]));
  fmt::print("\ntrace\n");
  for (const std::string& line : bound->trace(problem, element[0], element[1])) fmt::print("  {}\n", line);
  return result.exit_code();
}

namespace {

struct Counts {
  std::map<std::string, size_t> tiers;
  std::set<std::string> contracts;
};

/// Prints one line per op, because a list of all ids has thousands of lines.
void print_summary(const std::vector<Case>& cases) {
  std::vector<std::string> ops;
  std::map<std::string, Counts> by_op;
  for (const Case& one : cases) {
    if (!by_op.contains(one.op)) ops.push_back(one.op);
    Counts& counts = by_op[one.op];
    ++counts.tiers[one.tier];
    if (const auto contract = one.parameters.find("contract"); contract != one.parameters.end())
      counts.contracts.insert(contract->second);
  }
  size_t width = 0;
  for (const std::string& op : ops) width = std::max(width, op.size());
  for (const std::string& op : ops) {
    std::string tiers;
    for (const auto& [tier, count] : by_op[op].tiers) tiers += fmt::format("{}{} {}", tiers.empty() ? "" : ", ", count, tier);
    fmt::print("{:<{}}  {:>3} contracts  {}\n", op, width, by_op[op].contracts.size(), tiers);
  }
  fmt::print("{} cases of {} ops; to print ids: assay list OP[/TIER], GLOB or --all\n", cases.size(), ops.size());
}

}  // namespace

/// Adds the positional arguments to the selection: globs and case ids to its cases, other names to its suites.
static Selection with_names(Selection selection, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const bool is_glob = name.find_first_of("*?") != std::string::npos || std::count(name.begin(), name.end(), '/') > 1;
    (is_glob ? selection.cases : selection.suites).push_back(name);
  }
  return selection;
}

int list_verb(const ListArguments& arguments) {
  if (arguments.suites.tables.cases.empty() && !arguments.suites.tables.op.empty()) {
    const std::vector<Case> all = open_cases(arguments.suites);
    std::printf("%s", op_text(arguments.suites.ops->find(arguments.suites.tables.op), all).c_str());
    return kAllAsExpected;
  }
  const Selection selection = with_names(arguments.selection, arguments.names);
  const std::vector<Case> cases = open_selected_cases(arguments.suites, selection);
  if (selection.everything() && arguments.suites.tables.cases.empty() && !arguments.all) {
    print_summary(cases);
    return kAllAsExpected;
  }
  for (const Case& one : cases) std::printf("%s\n", one.id.c_str());
  return kAllAsExpected;
}

}  // namespace assay
