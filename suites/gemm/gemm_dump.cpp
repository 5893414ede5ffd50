#include "suites/gemm/gemm_dump.h"

#include <algorithm>

#include "harness/text/error.h"
#include "suites/gemm/gemm_case.h"
#include "suites/rows/row_dump.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

using Shape = std::vector<int64_t>;

/// Extents without those of 1, whose place says nothing of a vector.
bool fits(const Shape& shape, const ScaleShape& scales) {
  if (scales.k_block > 0) return as_matrix(shape) == Shape{scales.rows, scales.columns};
  const auto longer = std::count_if(shape.begin(), shape.end(), [](int64_t extent) { return extent != 1; });
  return scales.count() == 1 ? longer == 0 : longer == 1 && std::count(shape.begin(), shape.end(), scales.rows) == 1;
}

/// "scale_a [5, 4] and scale_b [2, 4]", as the contract would have them.
std::string wanted(const DotContract& contract, int64_t m, int64_t n, int64_t k) {
  std::string text;
  for (const GemmScales scales : contract.scales) {
    const ScaleShape a = scales_of_a(scales, m, k), b = scales_of_b(scales, n, k);
    text += (text.empty() ? "" : ", or ") + shape_text({a.rows, a.columns}) + " and " + shape_text({b.rows, b.columns}) + " (" + name_of(scales) + ")";
  }
  return text;
}

GemmScales scales_in(const DotContract& contract, const DumpedTensor& a, const DumpedTensor& b, int64_t m, int64_t n, int64_t k) {
  const Shape &shape_a = a.tensor.spec.shape, &shape_b = b.tensor.spec.shape;
  for (const GemmScales scales : contract.scales)
    if (fits(shape_a, scales_of_a(scales, m, k)) && fits(shape_b, scales_of_b(scales, n, k))) return scales;
  throw UsageError(a.place() + ": is " + shape_text(shape_a) + " and scale_b is " + shape_text(shape_b) + "; contract " + contract.row->id +
                   " wants " + wanted(contract, m, n, k));
}

/// Rows and products of a factor.
Shape factor(const DumpedTensor& tensor) {
  const Shape shape = as_matrix(tensor.tensor.spec.shape);
  if (shape[0] > 0 && shape[1] > 0) return shape;
  throw UsageError(tensor.place() + ": is " + shape_text(tensor.tensor.spec.shape) + ", which is empty");
}

/// Of scales that somebody names elements of by row and block.
std::string plain_layout(const DotContract& contract) {
  for (const char* id : {"row", "col", "tma"})
    if (std::find(contract.layouts.begin(), contract.layouts.end(), id) != contract.layouts.end()) return id;
  return contract.layouts.front();
}

}  // namespace

DumpCase gemm_case_of_dump(const Op& op, const DumpRequest& request) {
  require_known_parameters(op, request);
  const DotContract contract = read_dot(rulebook().contracts.find(request.contract), rulebook().contracts, rulebook().units);
  const DumpedTensor &a = dumped_role(request.roles, "a"), &b = dumped_role(request.roles, "b"), &d = dumped_role(request.roles, "d");
  const Shape of_a = factor(a), of_b = factor(b);
  if (of_a[1] != of_b[1])
    throw UsageError(b.place() + ": is " + shape_text(of_b) + " and a is " + shape_text(of_a) + "; b has a row of k products for each column of d");
  const int64_t m = of_a[0], n = of_b[0], k = of_a[1];
  const GemmScales scales =
      scales_in(contract, dumped_role(request.roles, "scale_a"), dumped_role(request.roles, "scale_b"), m, n, k);
  std::map<std::string, std::string> cells = {{"contract", request.contract}, {"m", std::to_string(m)},  {"n", std::to_string(n)},
                                              {"k", std::to_string(k)},       {"fill", "zeros"},         {"b", "zeros"},
                                              {"scales", name_of(scales)},    {"scale", "ones"},         {"seed", "1"},
                                              {"warp", "32"},                 {"y", std::string(d.tensor.spec.format->name)}};
  if (request.roles.contains("bias")) cells["bias"] = "zeros";
  if (contract.adds_c()) cells["c"] = "zeros";
  if (contract.azp != GemmAzp::kNone) cells["azp"] = "zeros";
  if (contract.of_blocks()) {
    cells["layout_a"] = request.layout.empty() ? plain_layout(contract) : request.layout;
    cells["layout_b"] = rulebook().layout(cells["layout_a"]).element->bytes() == 1 ? cells["layout_a"] : "row";
  }
  Case one;
  one.op = op.name;
  one.origin = {a.file, 0};
  one.why = "a dump of yours, judged under " + request.contract;
  for (const std::string& column : op.columns) one.parameters[column] = request.parameters.contains(column) ? request.parameters.at(column) : cells[column];
  DumpCase dump;
  dump.bound = op.bind(one);
  dump.one = checked_case(op, std::move(one));
  dump.one.name.fills.clear(), dump.one.name.warp = 0;  // placeholders
  dump.one.id = dump.one.name.id();
  dump.problem = dump.bound->problem();
  return dump;
}

}  // namespace assay
