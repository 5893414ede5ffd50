#include "suites/quant_experts/binding.h"

#include <algorithm>

#include "reference/formats/catalogue.h"
#include "suites/rows/places.h"
#include "suites/rows/row_op.h"
#include "suites/rows/tensors.h"

namespace assay {
namespace {

Case validate(Case c) {
  require_flow(c, "group_quant");
  require_sharing(c, Sharing::kInRow);
  c.id = row_id(c, read_row_case(c));
  return c;
}

HostTensor input_offsets(const std::string& name, const std::vector<int64_t>& values) {
  HostTensor tensor{dense(name, Role::kInput, kInt32, {int64_t(values.size())}), {}};
  tensor.bytes.resize(tensor.spec.bytes());
  for (size_t i = 0; i < values.size(); ++i) tensor.set_code(int64_t(i), uint32_t(values[i]));
  return tensor;
}

Problem problem(const Case& c) {
  const RowCase p = read_row_case(c);
  const Format& q = code_format(p);
  std::vector<int64_t> first_rows = {0};
  for (int64_t count : p.tokens) first_rows.push_back(first_rows.back() + count);
  Problem made{
      {input_matrix(p, q), input_offsets("expert_offsets", first_rows),
       input_offsets("blockscale_offsets", ScalePlaces(p).first_rows_of_tiles()), output_matrix("q", p, q), output_scale(p)},
      {{"group_size", double(p.group_size)}, {"warp", double(p.warp)}}};
  name_tiles(p, made);
  return made;
}

/// Fewer rows of each expert, and at least one of those that have some.
Case excerpt(Case c) {
  constexpr int64_t kExcerptElements = 1 << 18;
  const RowCase p = read_row_case(c);
  const int64_t most = std::max<int64_t>(1, kExcerptElements / p.n);
  if (p.m <= most) return c;
  std::string counts;
  for (int64_t count : p.tokens) {
    const int64_t fewer = std::max(std::min<int64_t>(count, 1), count * most / p.m);
    counts.append(counts.empty() ? "" : ";").append(std::to_string(fewer));
  }
  c.parameters["tokens"] = counts;
  return c;
}

}  // namespace

Op quant_experts_op() {
  Op op = row_op("quant_experts", {"contract", "x", "tokens", "n", "group_size", "layout", "fill", "seed", "warp"}, validate,
                 problem);
  op.excerpt = excerpt;
  op.rows = nullptr;                      // where a row's scales lie depends on the rows before it
  op.with_rows = nullptr;
  return op;
}

}  // namespace assay
