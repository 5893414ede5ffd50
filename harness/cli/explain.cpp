#include <fmt/format.h>

#include <algorithm>

#include "harness/cli/call_text.h"
#include "harness/cli/cases_of_ops.h"
#include "harness/cli/places.h"
#include "harness/cli/verbs.h"
#include "harness/diagnosis/run_hooks.h"
#include "harness/diagnosis/visibility.h"
#include "harness/report/console.h"
#include "harness/report/words.h"
#include "harness/run/run.h"
#include "harness/text/error.h"
#include "suites/registry.h"

namespace assay {
namespace {

void print_case(const Op& op, const Case& one, const BoundCase& bound, const Problem& problem) {
  fmt::print("case      {}\n", one.id);
  fmt::print("row       {}  {}\n", one.origin.text(), one.why);
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
      fmt::print("  sees        {} in {:.3g} % of elements\n", v.fault, 100.0 * double(v.outside) / double(v.elements));
  }
  for (const DataPower& data : report.data) fmt::print("  visits      {}\n", data_text(data));
}

void print_kernel(const KernelOffer& kernel) {
  fmt::print("\nkernel {}\n", kernel.name);
  if (kernel.fault.empty()) return;
  fmt::print("  wrong on purpose: {} ({}); right twin: {}\n", kernel.fault, kernel.cites, kernel.twin);
}

/// Rows and columns of a tensor; leading dimensions are flattened into rows.
std::array<int64_t, 2> matrix_of(const TensorSpec& spec) {
  const int64_t columns = spec.shape.size() > 1 ? spec.shape.back() : 1;
  return {spec.elements() / std::max<int64_t>(1, columns), columns};
}

/// The worst element of the first tensor with a wrong element, or the place of a violation. For scales, the first column of the
/// group.
std::array<int64_t, 2> element_to_trace(const ExplainArguments& arguments, const Verdict& verdict, const Problem& problem) {
  if (!arguments.element.empty()) return {arguments.element[0], arguments.element[1]};
  for (const TensorFinding& finding : verdict.tensors) {
    if (finding.outside == 0) continue;
    const std::array<int64_t, 2> shape = matrix_of(problem.tensors.front().spec);
    if (finding.worst.at[0] >= shape[0]) continue;  // this part of the buffer has a different number of rows
    const int64_t apart = std::max<int64_t>(1, shape[1] / finding.shape[1]);
    return {finding.worst.at[0], std::min(shape[1] - 1, finding.worst.at[1] * apart)};
  }
  for (const Violation& violation : verdict.violations)
    for (const Place& place : violation.places)
      if (place.row < matrix_of(problem.tensors.front().spec)[0]) return {place.row, std::max<int64_t>(0, place.column)};
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

  const Backend backend = shared_between_threads(open_backend(*arguments.suites.ops, {arguments.backend, false, 60}));
  RunOptions options;
  options.kernel_glob = arguments.kernel;
  options.each.diagnose = look_for_causes(backend);
  const RunResult result = run_all(arguments.suites.ops->all(), {one}, backend, options);
  std::array<int64_t, 2> element = element_to_trace(arguments, Verdict{}, problem);
  for (const Verdict& verdict : result.verdicts) {
    if (const KernelOffer* kernel = backend.library.find_kernel(verdict.kernel)) print_kernel(*kernel);
    fmt::print("{}", failure_text(verdict));
    element = element_to_trace(arguments, verdict, problem);
  }
  const std::array<int64_t, 2> shape = matrix_of(problem.tensors.front().spec);
  if (element[0] < 0 || element[0] >= shape[0] || element[1] < 0 || element[1] >= shape[1])
    throw UsageError(fmt::format("element {} {} is outside [{}, {}]", element[0], element[1], shape[0], shape[1]));
  fmt::print("\ntrace\n");
  for (const std::string& line : bound->trace(problem, element[0], element[1])) fmt::print("  {}\n", line);
  return result.exit_code();
}

}  // namespace assay
