// What the ops that fill a paged cache share: the columns of their case tables, read and checked.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/core/bound_case.h"
#include "reference/contracts/tensor_layouts.h"
#include "reference/flow/contract.h"
#include "suites/cache_insert/slots.h"
#include "suites/rows/cells.h"

namespace assay {

/// Parameters of one case.
struct CacheCase {
  std::string contract;
  std::shared_ptr<const Contract> bound;  ///< the contract for the format of the inputs
  const Record* record = nullptr;  ///< how a token lies in its block
  const Format* x = nullptr;       ///< of the inputs
  const Format* q = nullptr;       ///< of the codes
  int64_t m = 0;                   ///< rows of the inputs; from slots.size() on they belong to nobody
  int64_t blocks = 0, block_size = 0;
  int64_t gap = 0;                            ///< bytes behind the tokens of a block
  SlotCell slot_cell;
  std::vector<int64_t> slots;                 ///< place of each row in the cache; negative: nowhere
  int64_t coded = 0;                          ///< of a token's numbers: those that become codes, the first ones
  int64_t group_size = 0;                     ///< of the codes, in columns
  size_t first_input = 0;                     ///< among the tensors of the problem: the first with numbers of tokens
  std::string fill, second_fill, scale_fill;  ///< of the first input, the second, the scales
  int64_t row_stride = 0;                     ///< from a row of a token's numbers to the next in memory; 0: as many as it has
  std::string gamma;                          ///< of a contract with a norm: fill of its weights
  double eps = 0;                             ///< likewise
  uint64_t seed = 0;
  int warp = 0;

  int64_t block_stride() const { return record->block_bytes(block_size, *q, *x) + gap; }
  int64_t numbers() const { return record->numbers(); }  ///< of a token
  /// The case on at most that many rows; itself if its places are listed.
  CacheCase with_fewer_rows(int64_t rows) const;
};

/// Throws TableError naming row and column. `contract`: its own, or the one that its own names, of an op that is composed of others.
CacheCase read_cache_case(const Cells& cells, const ContractRow& contract);

/// Formats, rows and blocks of a case: "bf16.m7.b3x16.holes-7".
std::string cache_shape(const Case& c, const CacheCase& p);

/// "concat_and_cache_mla/vllm.fp8_ds_mla/bf16.m7.n3.b16.holes-5/normal.rope.s1/w32" in parts.
CaseName cache_case_name(const Case& c, const CacheCase& p);

/// What --minimize may take away: tokens, where their places are a pattern.
Shrinking shrink_tokens(const CacheCase& c);

}  // namespace assay
