#include "suites/gemm_scaled/gemm_case.h"

#include <algorithm>

#include "harness/core/fill.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "suites/rows/cells.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

DotContract contract_of(const Cells& cells) {
  const ContractRow& row = cells.contract();
  if (row.flow->kind != FlowKind::kDot)
    cells.refuse("contract", "'" + row.id + "' is a " + row.flow->name + " row and this op takes matrix products");
  return read_dot(row, rulebook().units);
}

const Format& result_of(const Cells& cells, const DotContract& contract) {
  const Format* format = find_format(cells.text("y"));
  if (!format || !contract.makes(*format))
    cells.refuse("y", "'" + cells.text("y") + "' is no result of " + contract.row->id + ": " + contract.row->text("out"));
  return *format;
}

GemmScales scales_of(const Cells& cells, const DotContract& contract) {
  try {
    const GemmScales scales = gemm_scales_named(cells.text("scales"));
    if (contract.takes(scales)) return scales;
  } catch (const std::out_of_range& error) {
    cells.refuse("scales", error.what());
  }
  cells.refuse("scales",
               "'" + cells.text("scales") + "' are no scales of " + contract.row->id + ": " + contract.row->text("scales"));
}

/// The largest magnitudes of both factors, k times, must fit.
void require_room(const Cells& cells, const GemmCase& p) {
  if (!p.contract.of_integers()) return;
  const double most = (max_finite(*p.contract.unit.a) + 1) * (max_finite(*p.contract.unit.b) + 1) * double(p.k);
  if (most > max_finite(kInt32)) cells.refuse("k", "so many products may overflow int32");
}

HostTensor filled(const char* role, const Format& format, std::vector<int64_t> shape, const FillRequest& request) {
  HostTensor tensor{dense(role, Role::kInput, format, std::move(shape)), {}};
  fill(tensor, request);
  return tensor;
}

std::vector<double> values_of(const HostTensor& tensor) {
  std::vector<double> values(size_t(tensor.spec.elements()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = decode(*tensor.spec.format, tensor.code(int64_t(i)));
  return values;
}

/// Rows of a dense matrix, or elements of a vector.
HostTensor chosen(const HostTensor& tensor, const std::vector<int64_t>& rows) {
  const int64_t columns = tensor.spec.shape.size() > 1 ? tensor.spec.shape[1] : 1;
  std::vector<int64_t> shape = tensor.spec.shape;
  shape[0] = int64_t(rows.size());
  HostTensor some{dense(tensor.spec.name, tensor.spec.role, *tensor.spec.format, shape), {}};
  if (tensor.bytes.empty()) return some;
  some.bytes.resize(some.spec.bytes());
  const size_t size = size_t(columns) * size_t(tensor.spec.format->bytes());
  for (size_t i = 0; i < rows.size(); ++i)
    std::copy_n(tensor.bytes.begin() + std::ptrdiff_t(size_t(rows[i]) * size), size,
                some.bytes.begin() + std::ptrdiff_t(i * size));
  return some;
}

}  // namespace

GemmCase read_gemm_case(const Case& c) {
  const Cells cells(c);
  GemmCase p;
  p.contract = contract_of(cells);
  p.m = cells.positive("m");
  p.n = cells.positive("n");
  p.k = cells.positive("k");
  p.fill = cells.fill_name("fill");
  p.b = cells.fill_name("b");
  p.scales = scales_of(cells, p.contract);
  p.scale = cells.fill_name("scale");
  p.y = &result_of(cells, p.contract);
  if (cells.has("bias") && !cells.text("bias").empty()) {
    p.bias = cells.fill_name("bias");
    if (p.contract.bias.empty()) cells.refuse("bias", p.id() + " takes no bias");
    if (*p.y == kF32) cells.refuse("bias", "a bias has the 16 bits of the result");
  }
  p.seed = uint64_t(cells.positive("seed"));
  p.warp = cells.warp();
  require_room(cells, p);
  return p;
}

Problem gemm_problem(const GemmCase& c) {
  const Unit& unit = c.contract.unit;
  uint32_t ordinal = 0;
  const auto request = [&](const std::string& name) {
    return FillRequest{.name = name, .seed = c.seed, .group_size = 0, .q = unit.d, .tensor = ordinal++};
  };
  Problem made;
  made.tensors.push_back(filled("a", *unit.a, {c.m, c.k}, request(c.fill)));
  made.tensors.push_back(filled("b", *unit.b, {c.n, c.k}, request(c.b)));
  made.tensors.push_back(filled("scale_a", kF32, {c.a_has_scales_of_rows() ? c.m : 1}, request(c.scale)));
  made.tensors.push_back(filled("scale_b", kF32, {c.b_has_scales_of_rows() ? c.n : 1}, request(c.scale)));
  if (!c.bias.empty()) made.tensors.push_back(filled("bias", *c.y, {c.n}, request(c.bias)));
  made.tensors.push_back({dense("d", Role::kOutput, *c.y, {c.m, c.n}), {}});
  made.parameters = {{"warp", double(c.warp)}};
  return made;
}

DotInputs gemm_inputs(const GemmCase& c, const Problem& problem) {
  DotInputs inputs;
  inputs.product = {{find(problem.tensors, "a").bytes.data(), c.k}, {find(problem.tensors, "b").bytes.data(), c.k}, c.k};
  inputs.m = c.m;
  inputs.n = c.n;
  inputs.scale_a = values_of(find(problem.tensors, "scale_a"));
  inputs.scale_b = values_of(find(problem.tensors, "scale_b"));
  if (!c.bias.empty()) inputs.bias = values_of(find(problem.tensors, "bias"));
  return inputs;
}

std::pair<Case, Problem> gemm_with_rows(const Case& c, const Problem& problem, const std::vector<int64_t>& rows) {
  Case fewer = c;
  fewer.parameters["m"] = std::to_string(rows.size());
  const GemmCase p = read_gemm_case(c);
  Problem made{{}, problem.parameters};
  for (const HostTensor& tensor : problem.tensors) {
    const std::string& role = tensor.spec.name;
    const bool by_row = role == "a" || role == "d" || (role == "scale_a" && p.a_has_scales_of_rows());
    made.tensors.push_back(by_row ? chosen(tensor, rows) : tensor);
  }
  return {std::move(fewer), std::move(made)};
}

}  // namespace assay
