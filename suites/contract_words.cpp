#include "suites/contract_words.h"

#include "reference/contracts/bind.h"
#include "reference/flow/cache_insert/cache_record.h"
#include "reference/flow/contiguity/contiguity.h"
#include "reference/flow/dot/words.h"
#include "reference/flow/flow.h"
#include "reference/flow/rank_norm/rank_norm.h"
#include "reference/flow/rank_reduce/words.h"
#include "reference/flow/rank_squares/rank_squares.h"
#include "reference/flow/shuffle/shuffle.h"
#include "reference/formats/catalogue.h"
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
  switch (row.flow->kind) {
    case FlowKind::kCast:
      return cast_lines(read_cast(row));
    case FlowKind::kPacking:
      return pack_lines(read_packing(row));
    case FlowKind::kLaunch:
      return launch_lines(id, kBf16);
    case FlowKind::kDot:
    case FlowKind::kDotUnknown:
      return dot_lines(read_dot(row, tables, rulebook().units));
    case FlowKind::kRankReduce:
      return rank_lines(read_rank_reduce(row), *read_rank_reduce(row).formats.front());
    case FlowKind::kRankNorm: {
      std::vector<std::string> lines = contract_lines(read_rank_norm(row).reduce);
      for (std::string& line : contract_lines(read_rank_norm(row).then)) lines.push_back(std::move(line));
      return lines;
    }
    case FlowKind::kContiguity:
      return contiguity_lines(read_contiguity(row));
    case FlowKind::kRankSquares:
      return contract_lines(read_rank_squares(row).norm);
    case FlowKind::kShuffle:
      return shuffle_lines(read_shuffle(row));
    case FlowKind::kLink:
    case FlowKind::kChain:
      break;
  }
  if (tables.find(chain_of(row).back()).flow == &cache_insert_flow()) return cache_lines(id, kBf16);
  return formulas(bind(tables, id, kBf16));
}

}  // namespace assay
