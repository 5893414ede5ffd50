#include "suites/rows/row_dump.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/core/missing_role.h"
#include "reference/flow/registry.h"
#include "reference/table/near.h"
#include "suites/rows/row_case.h"
#include "suites/rows/scale_reading.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

using Cellmap = std::map<std::string, std::string>;

bool has_column(const Op& op, const std::string& column) {
  return std::find(op.columns.begin(), op.columns.end(), column) != op.columns.end();
}

/// Cells that name data: the data are there already.
void put_placeholders(const Op& op, const ContractRow& contract, Cellmap& cells) {
  for (const char* column : {"fill", "up", "gamma", "beta", "scale"})
    if (has_column(op, column)) cells.emplace(column, "zeros");
  for (const char* column : {"residual", "azp", "gate"})
    if (has_column(op, column) && takes(rulebook().contracts, contract, column)) cells.emplace(column, "zeros");
  cells.emplace("seed", "1");
  cells.emplace("warp", "32");
}

/// Columns that no tensor shows and that the op or the contract needs.
void require_given(const Op& op, const DumpRequest& request, const Cellmap& cells) {
  const ContractTables& tables = rulebook().contracts;
  const bool bounded = takes(tables, tables.find(request.contract), "scale_ub");
  for (const std::string& column : op.columns) {
    const bool needed = column == "scale_ub" ? bounded : !op.optional_columns.contains(column);
    if (needed && !cells.contains(column))
      throw UsageError("contract " + request.contract + " needs --param " + column + "=VALUE, which no tensor shows");
  }
}

}  // namespace

std::vector<int64_t> as_matrix(const std::vector<int64_t>& shape) {
  int64_t rows = 1;
  for (size_t d = 0; d + 1 < shape.size(); ++d) rows *= shape[d];
  return {rows, shape.empty() ? 1 : shape.back()};
}

std::string shape_text(const std::vector<int64_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

const DumpedTensor& dumped_role(const DumpedRoles& roles, const char* name) {
  if (const auto found = roles.find(name); found != roles.end()) return found->second;
  throw MissingRole(name);
}

void require_known_parameters(const Op& op, const DumpRequest& request) {
  for (const auto& [name, value] : request.parameters)
    if (!has_column(op, name))
      throw UsageError("--param " + name + ": op " + op.name + " has no such parameter" + did_you_mean(name, op.columns));
}

DumpCase row_case_of_dump(const Op& op, const DumpRequest& request) {
  require_known_parameters(op, request);
  const ContractTables& tables = rulebook().contracts;
  const ContractRow& last = tables.find(chain_of(tables.find(request.contract)).back());

  const DumpedTensor& x = dumped_role(request.roles, "x");
  const std::vector<int64_t> shape = as_matrix(x.tensor.spec.shape);
  if (shape[0] <= 0 || shape[1] <= 0)
    throw UsageError(x.place() + ": is " + shape_text(x.tensor.spec.shape) + ", which is empty");
  const bool gated = takes(tables, tables.find(request.contract), "up");  // then a row of x is a gate and an up half
  if (gated && shape[1] % 2 != 0)
    throw UsageError(x.place() + ": has rows of " + std::to_string(shape[1]) + ", and contract " + request.contract +
                     " takes two halves");
  const int64_t m = shape[0], n = gated ? shape[1] / 2 : shape[1];

  Cellmap cells = request.parameters;
  cells["contract"] = request.contract;
  cells["x"] = std::string(x.tensor.spec.format->name);
  cells["m"] = std::to_string(m);
  cells["n"] = std::to_string(n);
  if (has_column(op, "weights"))
    cells.emplace("weights", std::string(dumped_role(request.roles, "gamma").tensor.spec.format->name));
  put_placeholders(op, tables.find(request.contract), cells);
  DumpCase dump;
  const std::string group = cells.contains("group_size") ? cells["group_size"] : "";
  if (has_column(op, "group_size")) cells["group_size"] = cells["layout"] = "";  // from the scales, below
  require_given(op, request, cells);
  if (has_column(op, "group_size")) {
    const ScaleReading reading = read_dumped_scales(last, dumped_role(request.roles, "scale"), m, n, group, request.layout);
    cells["group_size"] = reading.group;
    cells["layout"] = reading.layout->id;
    dump.placings["scale"] = reading.placing;
  }

  Case one;
  one.op = op.name;
  one.origin = {x.file, 0};
  one.why = "your dump, checked against " + request.contract;
  for (const std::string& column : op.columns) one.parameters[column] = cells[column];
  dump.bound = op.bind(one);
  dump.one = std::move(one);
  dump.one.name = dump.bound->name();
  dump.one.name.fills.clear(), dump.one.name.warp = 0;  // placeholders
  dump.one.id = dump.one.name.id();
  dump.problem = dump.bound->problem();
  return dump;
}

}  // namespace assay
