#include "suites/registry.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "harness/text/messages.h"
#include "reference/casts/cast_profile.h"
#include "reference/flow/chain/chain.h"
#include "reference/flow/combine/combine.h"
#include "reference/flow/contiguity/contiguity.h"
#include "reference/flow/contract.h"
#include "reference/flow/dot/dot_contract.h"
#include "reference/flow/gather/gather.h"
#include "reference/flow/flow.h"
#include "reference/flow/group_quant/group_quant.h"
#include "reference/flow/rank_reduce/rank_norm.h"
#include "reference/flow/rank_reduce/rank_reduce.h"
#include "reference/flow/routing/routing.h"
#include "reference/flow/shuffle/shuffle.h"
#include "reference/formats/catalogue.h"
#include "reference/packing/packing.h"
#include "reference/table/near.h"
#include "suites/cache_insert/cache_op.h"
#include "suites/cast/cast_op.h"
#include "suites/rows/row_text.h"
#include "suites/rulebook.h"

namespace assay {

// The registry of ops.

const OpRegistry& shipped_ops() {
  static const OpRegistry ops({
#define ASSAY_OP(op) op##_op(),
#include "suites/ops.inc"
#undef ASSAY_OP
  });
  return ops;
}

const Op& OpRegistry::find(std::string_view name) const {
  std::vector<std::string> names;
  for (const Op& op : ops_) {
    if (op.name == name) return op;
    names.push_back(op.name);
  }
  throw std::out_of_range("unknown op '" + std::string(name) + "'" + did_you_mean(name, names));
}

std::vector<const Op*> OpRegistry::all_of_contract(const std::string& contract) const {
  std::vector<const Op*> all;
  for (const Op& op : ops_)
    if (op.takes(contract)) all.push_back(&op);
  return all;
}

const Op& OpRegistry::of_contract(const std::string& contract, const std::map<std::string, std::string>& parameters,
                                  const DumpedRoles& tensors) const {
  if (!rulebook().is_unit(contract)) (void)rulebook().contracts.find(contract);  // throws if the contract does not exist
  const std::vector<const Op*> all = all_of_contract(contract);
  if (all.empty())
    throw UsageError("contract '" + contract + "' is only a stage of fused contracts; no op runs it alone");
  const Op* best = all.front();
  int64_t most = -1;
  for (const Op* const op : all) {
    const bool has_all = std::all_of(parameters.begin(), parameters.end(), [&](const auto& parameter) {
      return std::find(op->columns.begin(), op->columns.end(), parameter.first) != op->columns.end();
    });
    if (!has_all) continue;
    const int64_t known =
        std::count_if(op->roles.begin(), op->roles.end(), [&](const RoleSpec& role) { return tensors.contains(role.name); });
    if (known > most) best = op, most = known;
  }
  return *best;
}

// A contract as formulas; its op kind determines how they are written.

std::vector<std::string> contract_lines(const std::string& id) {
  const ContractTables& tables = rulebook().contracts;
  const ContractRow& row = tables.find(id);
  const Flow* const flow = row.flow;
  if (flow == &cast_flow()) return cast_lines(read_cast(row));
  if (flow == &packing_flow()) return pack_lines(read_packing(row));
  if (flow == &launch_flow()) return launch_lines(id, kBf16);
  if (is_product(row)) return dot_lines(read_dot(row, tables, rulebook().units));
  if (flow == &rank_reduce_flow()) return rank_lines(read_rank_reduce(row), *read_rank_reduce(row).formats.front());
  if (flow == &rank_norm_flow()) {
    const RankNorm parts = read_rank_norm(row);
    std::vector<std::string> lines = parts.combine.empty() ? std::vector<std::string>() : contract_lines(parts.combine);
    for (std::string& line : contract_lines(parts.reduce)) lines.push_back(std::move(line));
    for (std::string& line : contract_lines(parts.then)) lines.push_back(std::move(line));
    return lines;
  }
  if (flow == &contiguity_flow()) return contiguity_lines(read_contiguity(row));
  if (flow == &rank_squares_flow()) return contract_lines(read_rank_squares(row).norm);
  if (flow == &combine_flow()) return combine_lines(read_combine(row), *read_combine(row).formats.front());
  if (flow == &gather_flow()) {
    const Gather gather = read_gather(row);
    return gather_lines(gather, rulebook().record(gather.record), gather.keeps_parts ? *gather.q : *gather.formats.front());
  }
  if (flow == &routing_flow()) return routing_lines(read_routing(row));
  if (flow == &shuffle_flow()) return shuffle_lines(read_shuffle(row));
  if (tables.find(chain_of(row).back()).flow == &cache_insert_flow()) return cache_lines(id, kBf16);
  return formulas(bind(tables, id, kBf16));
}

}  // namespace assay
