#include "suites/all_reduce_add_rms_norm/fused_case.h"

#include <stdexcept>
#include <utility>

#include "reference/flow/flow.h"
#include "reference/flow/rank_norm/rank_norm.h"
#include "reference/formats/codes.h"
#include "suites/registry.h"
#include "suites/rows/cells.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

constexpr std::pair<const char*, const char*> kNormOps[] = {
    {"all_reduce_add_rms_norm", "fused_add_rms_norm"},
    {"all_reduce_add_rms_norm_quant_group", "rms_norm_quant_group"},
    {"all_reduce_add_rms_norm_quant_static", "rms_norm_quant_static"}};

/// The same cells for another op and contract.
Case part_of_case(const Case& c, const std::string& op, const std::string& contract) {
  Case part = c;
  part.op = op;
  part.parameters["contract"] = contract;
  return part;
}

HostTensor of_rank(HostTensor tensor, int rank) {
  tensor.spec.rank = rank;
  return tensor;
}

}  // namespace

std::string norm_op_of(const std::string& op) {
  for (const auto& [fused, norm] : kNormOps)
    if (op == fused) return norm;
  throw std::logic_error("'" + op + "' has no norm behind a sum over ranks");
}

FusedCase read_fused_case(const Case& c) {
  const Cells cells(c);
  const ContractRow& row = cells.contract();
  if (row.flow->kind != FlowKind::kRankNorm)
    cells.refuse("contract", "'" + row.id + "' is a " + row.flow->name + " row and this op is a sum and a norm");
  const RankNorm parts = read_rank_norm(row);
  FusedCase fused;
  fused.id = row.id;
  fused.sum = read_rank_case(part_of_case(c, "all_reduce", parts.reduce));
  if (fused.sum.m == 0) cells.refuse("m", "a norm has rows");
  const Op& norm_op = find_op(norm_op_of(c.op));
  if (!norm_op.takes(parts.then)) cells.refuse("contract", "'" + parts.then + "' is not what op " + norm_op.name + " does");
  fused.norm_case = part_of_case(c, norm_op.name, parts.then);
  for (const std::string& column : norm_op.optional_columns)
    if (!fused.norm_case.parameters.contains(column)) fused.norm_case.parameters[column] = "";
  fused.norm_case.parameters["fill"] = "zeros";  // its x is the sum
  fused.norm_case = checked_case(norm_op, fused.norm_case);
  fused.norm = read_row_case(fused.norm_case);
  return fused;
}

Problem fused_problem(const FusedCase& c) {
  const Problem sums = rank_problem(c.sum), norm = find_op(c.norm_case.op).bind(c.norm_case)->problem();
  const auto make = [&](const Problem& x) {
    Problem made;
    made.ranks = x.ranks;
    for (const HostTensor& tensor : x.tensors) {
      if (tensor.spec.name != "x") continue;
      made.tensors.push_back(tensor);
      for (const HostTensor& own : norm.tensors)
        if (own.spec.name != "x") made.tensors.push_back(of_rank(own, tensor.spec.rank));
    }
    made.parameters = norm.parameters;
    return made;
  };
  Problem made = make(sums);
  for (const Problem& earlier : sums.before) made.before.push_back(make(earlier));
  return made;
}

Problem norm_problem(const FusedCase& c, const Problem& problem, const RankSums& sums, int rank) {
  Problem norm = find_op(c.norm_case.op).bind(c.norm_case)->problem();
  HostTensor& x = find(norm.tensors, "x");
  const Spans values = sums.results(rank, 0, c.sum.elements());
  for (int64_t i = 0; i < c.sum.elements(); ++i) x.set_code(i, code_of(*c.sum.x, values.low[size_t(i)]));
  for (const HostTensor& tensor : problem.tensors)
    if (tensor.spec.rank == rank && tensor.spec.name != "x" && !tensor.bytes.empty())
      find(norm.tensors, tensor.spec.name).bytes = tensor.bytes;
  return norm;
}

}  // namespace assay
