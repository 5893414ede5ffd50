#include "suites/rows/tensors.h"

#include "harness/core/fill.h"
#include "reference/contracts/bind.h"
#include "reference/formats/catalogue.h"
#include "suites/rows/places.h"
#include "suites/rulebook.h"

namespace assay {

const Format& code_format(const RowCase& c) {
  const Contract contract = bind(rulebook().contracts, c.contract, *c.x);
  return contract.group_quant() ? *contract.group_quant()->q : *c.x;
}

HostTensor input_matrix(const RowCase& c, const Format& q) {
  HostTensor x{dense("x", Role::kInput, *c.x, {c.m, c.n}), {}};
  fill(x, {.name = c.fill, .seed = c.seed, .group_size = c.group_size, .q = &q, .tensor = 0});
  return x;
}

HostTensor input_gamma(const RowCase& c) {
  HostTensor gamma{dense("gamma", Role::kInput, *c.x, {c.n}), {}};
  fill(gamma, {.name = c.gamma, .seed = c.seed, .group_size = 0, .q = c.x, .tensor = 1});
  return gamma;
}

HostTensor output_matrix(const std::string& name, const RowCase& c, const Format& format) {
  return {dense(name, Role::kOutput, format, {c.m, c.n}), {}};
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
