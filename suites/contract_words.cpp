#include "suites/contract_words.h"

#include "reference/casts/cast_profile.h"
#include "reference/flow/chain/chain.h"
#include "reference/flow/contiguity/contiguity.h"
#include "reference/flow/contract.h"
#include "reference/flow/dot/dot_contract.h"
#include "reference/flow/flow.h"
#include "reference/flow/group_quant/group_quant.h"
#include "reference/flow/rank_reduce/rank_norm.h"
#include "reference/flow/rank_reduce/rank_reduce.h"
#include "reference/flow/shuffle/shuffle.h"
#include "reference/formats/catalogue.h"
#include "reference/packing/packing.h"
#include "suites/cache_insert/words.h"
#include "suites/cast/words.h"
#include "suites/dsv4_qnorm_kv_insert/launch_words.h"
#include "suites/pack_scales/words.h"
#include "suites/rows/words.h"
#include "suites/rulebook.h"

namespace assay {

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
    std::vector<std::string> lines = contract_lines(read_rank_norm(row).reduce);
    for (std::string& line : contract_lines(read_rank_norm(row).then)) lines.push_back(std::move(line));
    return lines;
  }
  if (flow == &contiguity_flow()) return contiguity_lines(read_contiguity(row));
  if (flow == &rank_squares_flow()) return contract_lines(read_rank_squares(row).norm);
  if (flow == &shuffle_flow()) return shuffle_lines(read_shuffle(row));
  if (tables.find(chain_of(row).back()).flow == &cache_insert_flow()) return cache_lines(id, kBf16);
  return formulas(bind(tables, id, kBf16));
}

}  // namespace assay
