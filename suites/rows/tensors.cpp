#include "suites/rows/tensors.h"

#include <cstring>

#include "harness/fill/fill.h"
#include "reference/contracts/bind.h"
#include "reference/formats/catalogue.h"
#include "suites/rows/places.h"
#include "suites/rulebook.h"

namespace assay {

const Format& code_format(const RowCase& c) {
  const Contract contract = bind(rulebook().contracts, c.contract, *c.x);
  return contract.group_quant() ? *contract.group_quant()->q : *c.x;
}

HostTensor rows_apart(const HostTensor& rows, int64_t stride, int64_t offset) {
  HostTensor x = rows;
  const int64_t m = x.spec.shape[0], n = x.spec.shape[1];
  x.spec.strides.front() = stride > 0 ? stride : n;
  x.spec.offset = offset;
  x.spec.storage = x.spec.row(m);
  x.bytes.assign(x.spec.bytes(), std::byte{0xff});
  const auto width = size_t(x.spec.format->bytes());
  for (int64_t row = 0; row < m; ++row)
    std::memcpy(x.bytes.data() + size_t(x.spec.row(row)) * width, rows.bytes.data() + size_t(rows.spec.row(row)) * width,
                size_t(n) * width);
  return x;
}

/// What the contract adds to gamma before it multiplies by it.
static double added_to_weights(const RowCase& c) {
  const Contract contract = bind(rulebook().contracts, c.contract, *c.x);
  return contract.row_norm() && contract.row_norm()->w.text() == "add(1)" ? 1 : 0;
}

HostTensor input_matrix(const RowCase& c, const Format& q) {
  HostTensor x{dense("x", Role::kInput, *c.x, {c.m, c.n}), {}};
  std::vector<FilledOperand> operands;
  if (!c.gamma.empty()) operands.push_back(filled_operand(input_gamma(c), added_to_weights(c)));
  fill(x, {.name = c.fill, .seed = c.seed, .group_size = c.group_size, .q = &q, .tensor = 0, .operands = &operands});
  return c.row_stride > 0 || c.offset > 0 ? rows_apart(x, c.row_stride, c.offset) : x;
}

HostTensor input_halves(const RowCase& c, const Format& q) {
  const bool gate_first = bind(rulebook().contracts, c.contract, *c.x).gated()->gate_first;
  HostTensor gate{dense("gate", Role::kInput, *c.x, {c.stored_rows(), c.n}), {}}, up = gate;
  fill(gate, {.name = c.fill, .seed = c.seed, .group_size = c.group_size, .q = &q, .tensor = 0});
  fill(up, {.name = c.up,
            .seed = c.seed,
            .group_size = c.group_size,
            .q = &q,
            .tensor = 1,
            .exponent = c.fill == "gate_open" ? -5 : 0});
  HostTensor x{dense("x", Role::kInput, *c.x, {c.stored_rows(), 2 * c.n}), {}};
  x.bytes.resize(x.spec.bytes());
  const auto half = size_t(c.n * c.x->bytes());
  for (size_t row = 0; row < size_t(c.stored_rows()); ++row) {
    std::memcpy(x.bytes.data() + 2 * row * half, (gate_first ? gate : up).bytes.data() + row * half, half);
    std::memcpy(x.bytes.data() + (2 * row + 1) * half, (gate_first ? up : gate).bytes.data() + row * half, half);
  }
  return x;
}

HostTensor input_integers(const std::string& name, const std::vector<int64_t>& values) {
  HostTensor tensor{dense(name, Role::kInput, kInt32, {int64_t(values.size())}), {}};
  tensor.bytes.resize(tensor.spec.bytes());
  for (size_t i = 0; i < values.size(); ++i) tensor.set_code(int64_t(i), uint32_t(values[i]));
  return tensor;
}

HostTensor input_int64(const std::string& name, const std::vector<int64_t>& values) {
  HostTensor tensor{dense(name, Role::kInput, kInt64, {int64_t(values.size())}), {}};
  tensor.bytes.resize(tensor.spec.bytes());
  std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

HostTensor input_gamma(const RowCase& c) {
  HostTensor gamma{dense("gamma", Role::kInput, *c.weights, {c.n}), {}};
  fill(gamma, {.name = c.gamma, .seed = c.seed, .group_size = 0, .q = c.weights, .tensor = 1});
  return gamma;
}

HostTensor input_beta(const RowCase& c) {
  HostTensor beta{dense("beta", Role::kInput, *c.weights, {c.n}), {}};
  fill(beta, {.name = c.beta, .seed = c.seed, .group_size = 0, .q = c.weights, .tensor = 5});
  return beta;
}

HostTensor input_gate(const RowCase& c) {
  HostTensor gate{dense("gate", Role::kInput, *c.x, {c.m, c.n}), {}};
  fill(gate, {.name = c.gate, .seed = c.seed, .group_size = c.group_size, .q = c.x, .tensor = 6});
  return gate;
}

HostTensor in_place_residual(const RowCase& c) {
  HostTensor residual{dense("residual", Role::kOutput, *c.x, {c.m, c.n}), {}};
  fill(residual, {.name = c.residual, .seed = c.seed, .group_size = c.group_size, .q = c.x, .tensor = 4});
  return residual;
}

HostTensor output_matrix(const std::string& name, const RowCase& c, const Format& format) {
  return {dense(name, Role::kOutput, format, {c.stored_rows(), c.n}), {}};
}

HostTensor output_scale(const RowCase& c) {
  const ScalePlaces places(c);
  return {{"scale", Role::kOutput, c.layout->type, places.shape(), places.strides(), places.storage()}, {}};
}

void name_tiles(const RowCase& c, Problem& problem) {
  if (c.layout->tile_rows == 1) return;
  problem.parameters.emplace_back("scale_tile_rows", double(c.layout->tile_rows));
  problem.parameters.emplace_back("scale_tile_columns", double(c.layout->tile_columns));
}

HostTensor input_scale(const RowCase& c) {
  HostTensor scale = output_scale(c);
  scale.spec.role = Role::kInput;
  fill(scale, {.name = c.scale_fill, .seed = c.seed, .group_size = 0, .q = c.layout->element, .tensor = 2});
  return scale;
}

HostTensor output_zero(const RowCase& c) { return {dense("azp", Role::kOutput, kInt32, {c.rows_of_groups(), c.groups()}), {}}; }

HostTensor input_zero(const RowCase& c) {
  HostTensor zero{dense("azp", Role::kInput, kInt32, {c.rows_of_groups(), c.groups()}), {}};
  fill(zero, {.name = c.zero_fill, .seed = c.seed, .group_size = 0, .q = &kInt8, .tensor = 3});
  return zero;
}

}  // namespace assay
