#include "suites/rows/tensors.h"

#include <cstring>
#include <optional>

#include "harness/fill/fill.h"
#include "reference/formats/catalogue.h"
#include "reference/recipe/eval.h"
#include "suites/rows/places.h"

namespace assay {

namespace {

/// Random streams of the tensors of a row op. Golden data depend on them, so a new tensor must get a new number. (kUp and kGamma
/// share one: no row op has both halves and gamma.)
enum Stream : uint32_t { kX = 0, kUp = 1, kGamma = 1, kScale = 2, kZeroPoint = 3, kResidual = 4, kBeta = 5, kGate = 6, kOuterScale = 7 };

/// What the contract adds to gamma before multiplying: the weight for a gamma of 0.
double added_to_gamma(const Contract& contract) {
  const RowNorm* norm = contract.row_norm();
  if (norm == nullptr || norm->w.empty()) return 0;
  Spans weight(std::vector<double>{0.0});
  evaluate(norm->w, weight, {});
  return weight[0].low;
}

/// x without gaps. For a norm, `gamma` is the weight tensor, which some generators need.
HostTensor dense_matrix(const RowCase& c, const HostTensor* gamma) {
  HostTensor x{dense("x", Role::kInput, *c.x, {c.m, c.n}), {}};
  std::vector<FilledOperand> operands;
  if (gamma) operands.push_back(filled_operand(*gamma, added_to_gamma(*c.bound)));
  fill(x, {.name = c.fill, .seed = c.seed, .group_size = c.group_size(), .q = &code_format(c), .tensor = kX, .operands = &operands});
  return x;
}

}  // namespace

const Format& code_format(const RowCase& c) { return c.bound->group_quant() ? *c.bound->group_quant()->q : *c.x; }

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

HostTensor input_matrix(const RowCase& c) {
  std::optional<HostTensor> gamma;
  if (c.bound->row_norm()) gamma = input_gamma(c);
  const HostTensor x = dense_matrix(c, gamma ? &*gamma : nullptr);
  return c.row_stride > 0 || c.offset > 0 ? rows_apart(x, c.row_stride, c.offset) : x;
}

HostTensor input_halves(const RowCase& c) {
  const bool gate_first = c.bound->gated()->gate_first;
  const Format& q = code_format(c);
  HostTensor gate{dense("gate", Role::kInput, *c.x, {c.stored_rows(), c.n}), {}}, up = gate;
  fill(gate, {.name = c.fill, .seed = c.seed, .group_size = c.group_size(), .q = &q, .tensor = kX});
  fill(up, {.name = c.up,
            .seed = c.seed,
            .group_size = c.group_size(),
            .q = &q,
            .tensor = kUp,
            .exponent = -exponent_of_constant(c.fill)});
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
  fill(gamma, {.name = c.gamma, .seed = c.seed, .group_size = 0, .q = c.weights, .tensor = kGamma});
  return gamma;
}

HostTensor input_beta(const RowCase& c) {
  HostTensor beta{dense("beta", Role::kInput, *c.weights, {c.n}), {}};
  fill(beta, {.name = c.beta, .seed = c.seed, .group_size = 0, .q = c.weights, .tensor = kBeta});
  return beta;
}

HostTensor input_gate(const RowCase& c) {
  HostTensor gate{dense("gate", Role::kInput, *c.x, {c.m, c.n}), {}};
  fill(gate, {.name = c.gate, .seed = c.seed, .group_size = c.group_size(), .q = c.x, .tensor = kGate});
  return gate;
}

HostTensor in_place_residual(const RowCase& c) {
  HostTensor residual{dense("residual", Role::kOutput, *c.x, {c.m, c.n}), {}};
  fill(residual, {.name = c.residual, .seed = c.seed, .group_size = c.group_size(), .q = c.x, .tensor = kResidual});
  return residual;
}

HostTensor output_matrix(const std::string& name, const RowCase& c, const Format& format) {
  TensorSpec spec = dense(name, Role::kOutput, format, {c.stored_rows(), c.n});
  return {format.bits == 4 ? packed(std::move(spec)) : std::move(spec), {}};
}

HostTensor input_outer_scale(const RowCase& c) {
  HostTensor scale{dense("global_scale", Role::kInput, kF32, {c.outer_scales()}), {}};
  fill(scale, {.name = c.outer_fill, .seed = c.seed, .group_size = 0, .q = &kF32, .tensor = kOuterScale});
  return scale;
}

HostTensor output_scale(const RowCase& c) {
  const ScalePlaces places(c);
  return {{"scale", Role::kOutput, c.layout()->type, places.shape(), places.strides(), places.storage()}, {}};
}

void name_tiles(const RowCase& c, Problem& problem) {
  if (c.layout()->tile_rows == 1) return;
  problem.parameters.emplace_back("scale_tile_rows", double(c.layout()->tile_rows));
  problem.parameters.emplace_back("scale_tile_columns", double(c.layout()->tile_columns));
}

HostTensor input_scale(const RowCase& c) {
  HostTensor scale = output_scale(c);
  scale.spec.role = Role::kInput;
  fill(scale, {.name = c.scale_fill, .seed = c.seed, .group_size = 0, .q = c.layout()->element, .tensor = kScale});
  return scale;
}

HostTensor output_zero(const RowCase& c) { return {dense("azp", Role::kOutput, kInt32, {c.rows_of_scales(), c.scales_of_row()}), {}}; }

HostTensor input_zero(const RowCase& c) {
  HostTensor zero{dense("azp", Role::kInput, kInt32, {c.rows_of_scales(), c.scales_of_row()}), {}};
  fill(zero, {.name = c.zero_fill, .seed = c.seed, .group_size = 0, .q = &kInt8, .tensor = kZeroPoint});
  return zero;
}

}  // namespace assay
