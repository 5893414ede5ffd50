// Case-table columns shared by ops that fill a paged cache, parsed and validated.
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
  const Record* record = nullptr;  ///< layout of a token within its block
  const Format* x = nullptr;       ///< format of the inputs
  const Format* q = nullptr;       ///< format of the codes
  int64_t m = 0;                   ///< rows of the inputs; rows from slots.size() on are unused
  int64_t blocks = 0, block_size = 0;
  int64_t gap = 0;                            ///< unused bytes after the tokens of a block
  SlotCell slot_cell;
  std::vector<int64_t> slots;                 ///< slot of each row in the cache; negative: not stored
  int64_t coded = 0;                          ///< the first `coded` numbers of a token become codes
  int64_t group_size = 0;                     ///< columns per group of codes
  size_t first_input = 0;                     ///< index of the first problem tensor with token data
  std::string fill, second_fill, scale_fill;  ///< generators of the first input, the second input and the scales
  int64_t row_stride = 0;                     ///< distance of rows of token data in memory; 0: contiguous
  std::string gamma;                          ///< for a contract with a norm: generator of its weights
  double eps = 0;                             ///< for a contract with a norm
  uint64_t seed = 0;
  int warp = 0;

  int64_t block_stride() const { return record->block_bytes(block_size, *q, *x) + gap; }
  int64_t numbers() const { return record->numbers(); }  ///< numbers per token
  /// The case with at most that many rows; the same case if its slots are listed.
  CacheCase with_fewer_rows(int64_t rows) const;
};

/// Throws TableError naming row and column. `contract`: the case's own, or one that it refers to in a composed op.
CacheCase read_cache_case(const Cells& cells, const ContractRow& contract);

/// Formats, rows and blocks of a case: "bf16.m7.b3x16.holes-7".
std::string cache_shape(const Case& c, const CacheCase& p);

/// "concat_and_cache_mla/vllm.fp8_ds_mla/bf16.m7.n3.b16.holes-5/normal.rope.s1/w32" in parts.
CaseName cache_case_name(const Case& c, const CacheCase& p);

/// What --minimize can reduce: tokens, if their slots follow a pattern.
Shrinking shrink_tokens(const CacheCase& c);

}  // namespace assay
