#include "suites/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/visibility.h"
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

// The contracts that a kernel may obey by mistake instead of the contract of its case.

namespace {

/// If more cells differ, or their text is longer, the differences are not listed.
constexpr size_t kMostCells = 2, kLongestText = 80;

struct Difference {
  size_t cells = 0;
  std::string words;  ///< "code: mul(m) -> div(s); M: 448 -> 240"
};

Difference difference(const std::string& from, const std::string& to) {
  Difference all;
  const std::vector<const ContractRow*> a = rulebook().links_of(from), b = rulebook().links_of(to);
  if (a.size() != b.size() || a.empty()) return {size_t(-1), ""};
  for (size_t link = 0; link < a.size(); ++link)
    for (const CellDifference& cell : differing_cells(*a[link], *b[link]))
      if (++all.cells <= kMostCells)
        all.words += fmt::format("{}{}: {} -> {}", all.words.empty() ? "" : ", ", cell.column,
                                 cell.one.empty() ? "nothing" : cell.one, cell.other.empty() ? "nothing" : cell.other);
  if (all.cells > kMostCells || all.words.size() > kLongestText) all.words.clear();
  return all;
}

}  // namespace

std::vector<OtherContract> other_contracts(const Case& one, const Problem& problem) {
  const auto own = one.parameters.find("contract");
  if (own == one.parameters.end() || one.of_given_data) return {};
  const std::span<const Op> ops = shipped_ops().all();
  const auto op = std::find_if(ops.begin(), ops.end(), [&](const Op& candidate) { return candidate.name == one.op; });
  if (op == ops.end()) return {};
  std::vector<std::pair<size_t, OtherContract>> found;
  for (const std::string& id : rulebook().contract_ids()) {
    if (id == own->second || !op->takes(id)) continue;
    std::shared_ptr<const BoundCase> bound = under_contract(*op, one, id);
    if (!bound || bound->is_sweep() || !judges_call(*bound, problem)) continue;
    Difference differs = difference(own->second, id);
    if (differs.cells == 0) continue;
    found.emplace_back(differs.cells, OtherContract{id, std::move(differs.words), std::move(bound)});
  }
  std::ranges::stable_sort(found, {}, [](const auto& each) { return each.first; });
  std::vector<OtherContract> all;
  for (auto& [cells, other] : found) all.push_back(std::move(other));
  return all;
}

}  // namespace assay
