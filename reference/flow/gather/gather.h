// Reads of a paged KV cache: the block table says where each token of a sequence is. The token is written to a dense row, as
// numbers or as the cache's bytes. Contract rows, evaluation of one token, formulas and mutants.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/contracts/tensor_layouts.h"
#include "reference/formats/misreadings.h"
#include "reference/recipe/recipe.h"

namespace assay {

/// The registry entry of this op kind.
const Flow& gather_flow();

/// How a call's tensor `seq_starts`, if it has one, changes where the kernel begins to read a sequence.
enum class SequenceStarts {
  kNone,    ///< the kernel has no input seq_starts
  kBlocks,  ///< start / block_size blocks are skipped; the remainder has no effect
  kTokens   ///< reading begins with the token at position `start` of the sequence
};

/// A contract that reads a paged cache. Mutants modify it.
struct Gather {
  const ContractRow* row = nullptr;
  std::string record;         ///< id in records.csv
  const Format* q = nullptr;  ///< format of the codes; nullptr: the record has none
  bool by_table = true;       ///< tokens are found by a block table; otherwise the result has every token of the cache, in order
  SequenceStarts starts = SequenceStarts::kNone;
  bool keeps_parts = false;            ///< true: the parts of a record are copied as bytes; false: codes become rows of numbers
  bool spares_rows = false;            ///< the result may have rows after the last token, which stay as they were
  std::vector<CellStep> y;             ///< from the number of a code to the result, with s, its scale
  std::vector<const Format*> formats;  ///< formats of y; empty if the parts are kept

  // Mistakes, in mutants only. edit_tokens() and edit_scales() in gather.cpp have a text for each.
  enum class Table { kOwn, kIgnored, kOfNextRequest, kPackedRows, kOfUsedRequests } table = Table::kOwn;
  enum class Position { kOwn, kNext, kFirst } position = Position::kOwn;
  enum class WhichScale { kOwn, kNextGroup, kFirst, kNextToken } scale = WhichScale::kOwn;
  bool first_token_of_previous = false;  ///< the first token of a sequence is read from the sequence before it
  bool gap_ignored = false;              ///< blocks are read as if no gap (GatherInputs::gap) lay between them
  CodeReader read = {};                  ///< reads codes in the place of decode(); empty: decode()
  bool values_converted = false;         ///< elements to be copied are multiplied by the scale of the token's last group

  bool takes(const Format& format) const;
};

/// Throws TableError at the cell.
Gather read_gather(const ContractRow& row);

/// Inputs of one call. Without a block table, `table`, `first` and `starts` are empty.
struct GatherInputs {
  const Record* record = nullptr;
  const Format* y = nullptr;  ///< format of the result, and of elements that the record stores as numbers instead of codes
  std::span<const std::byte> cache;
  int64_t blocks = 0, block_size = 0, block_stride = 0, gap = 0;  ///< stride and gap in bytes
  int64_t table_columns = 0;
  std::vector<int64_t> table;   ///< [requests, table_columns]
  std::vector<int64_t> first;   ///< [requests + 1]: each request's first row of the result, then the number of rows
  std::vector<int64_t> starts;  ///< [requests]; empty: none
  double scale = 1;             ///< the only scale of the call, for a record without scales

  int64_t rows() const { return first.empty() ? blocks * block_size : first.back(); }
};

/// Where a token is in the cache.
struct CachedToken {
  int64_t request = -1;  ///< -1: no table
  int64_t index = 0;     ///< position in the whole sequence, including the tokens that seq_starts skips
  int64_t block = 0, position = 0;
};
CachedToken token_of_row(const Gather& contract, const GatherInputs& inputs, int64_t row);

/// The elements of a part of a token, as codes.
std::vector<uint32_t> codes_of_part(const Gather& contract, const GatherInputs& inputs, const RecordPart& part,
                                    const CachedToken& token);
/// Format of a part: the contract's format of codes, or the format of y.
const Format& format_of_part(const Gather& contract, const GatherInputs& inputs, const RecordPart& part);

/// For a part that holds codes: the numbers that the contract computes from them.
Spans gathered(const Gather& contract, const GatherInputs& inputs, const RecordPart& part, int64_t row);
/// For a part that is copied: its codes.
std::vector<uint32_t> copied(const Gather& contract, const GatherInputs& inputs, const RecordPart& part, int64_t row);

/// The recipe of cell y, for elements in format `y`.
Recipe gather_recipe(const std::vector<CellStep>& cell, const Format& y);

/// The contract as formulas, one line per step.
std::vector<std::string> gather_lines(const Gather& contract, const Record& record, const Format& y);

/// A contract with one mistake.
struct GatherNeighbour {
  std::string name;  ///< such as "table: not read", "y: drop mul(s)"
  Gather contract;
  bool suspect = false;  ///< only the diagnosis uses it: inputs need not expose it
};

/// The properties of a call that decide which mutants can change its result.
struct GatherExtents {
  int64_t requests = 0, rows = 0, block_size = 0, blocks = 0, gap = 0;
  bool empty_request = false;  ///< some sequence is empty and not the last one
  bool spare_columns = false;  ///< the table has more columns than the longest sequence needs
  bool starts = false;         ///< some sequence is not read from its first token on
  bool remainders = false;     ///< some start is not a multiple of the block size
};

/// Every mutant that can change the result of such a call. `records`: other layouts, for mutants that read the wrong one.
std::vector<GatherNeighbour> gather_neighbours(const Gather& contract, const Record& record, const std::vector<Record>& records,
                                               const Format& y, const GatherExtents& extents);

}  // namespace assay
