// A case of the ops that fill a paged cache: its table columns, slots and tensors, what the reference reads for each token, and
// the accepted value of every byte.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/op.h"
#include "reference/contracts/tensor_layouts.h"
#include "reference/flow/contract.h"
#include "reference/flow/row.h"
#include "suites/rows/case_cells.h"
#include "suites/rows/row_tensors.h"

namespace assay {

// Slots of a case's rows: the cell `slot_mapping`.

/// How rows are assigned to slots of a cache.
enum class SlotPattern {
  kListed,    ///< each row as listed: `3;-1;0`
  kOrder,     ///< the first slots: `order:60`
  kPages,     ///< whole blocks from the last to the first: `pages:60`
  kShuffled,  ///< random slots: `shuffled:60`
  kHoles      ///< as kShuffled, but rows 1, 4, 7, ... are not stored: `holes:60`
};

/// The parsed cell.
struct SlotCell {
  SlotPattern pattern = SlotPattern::kListed;
  int64_t rows = 0;              ///< for a pattern
  std::vector<int64_t> listed;  ///< for a list
  std::string text() const;
};

/// Throws std::invalid_argument for an unknown pattern or invalid numbers.
SlotCell parse_slots(const std::string& cell);

/// Slots are below `places`, a multiple of `block_size`. Throws std::invalid_argument: more rows than slots, or a slot used
/// twice.
std::vector<int64_t> slots_of(const SlotCell& cell, int64_t places, int64_t block_size, uint64_t seed);

/// Random streams of the tensors of a cache insertion. Golden data depend on them: a new tensor takes a new number.
enum class CacheStream : uint32_t {
  kFirst = 0,   ///< the first or only matrix of tokens
  kSecond = 1,  ///< the second one
  kScales = 2,  ///< the first vector of scales; the next one has the next number
  kSlots = 11,
  kBytes = 12,  ///< of the cache contents before the call
  kAngles = 13,
  kPositions = 14,
  kBesideHeads = 15,  ///< KV rows of the launch that also normalizes heads
  kWeights = 16
};

/// Parameters of one case.
struct CacheCase {
  std::string contract;
  std::shared_ptr<const Contract> bound;  ///< the contract for the format of the inputs
  const Record* record = nullptr;  ///< layout of a token within its block
  const Format* x = nullptr;       ///< format of the inputs
  const Format* q = nullptr;       ///< format of the codes
  int64_t m = 0;                   ///< rows of the inputs; row slots.size() and later rows are unused
  int64_t blocks = 0, block_size = 0;
  int64_t gap = 0;                            ///< unused bytes after the tokens of a block
  SlotCell slot_cell;
  std::vector<int64_t> slots;                 ///< slot of each row in the cache; negative: not stored
  int64_t coded = 0;                          ///< the first `coded` numbers of a token become codes
  int64_t group_size = 0;                     ///< columns per group of codes
  size_t first_input = 0;                     ///< index of the first problem tensor with token data
  std::string fill, second_fill, scale_fill;  ///< generators of the first input, the second input and the scales
  std::vector<int64_t> row_strides;           ///< row stride in elements, of each input with token data; empty: contiguous
  std::string gamma;                          ///< for a contract with a norm: generator of its weights
  double eps = 0;                             ///< for a contract with a norm
  uint64_t seed = 0;
  int warp = 0;

  int64_t block_stride() const { return record->block_bytes(block_size, *q, *x) + gap; }
  int64_t numbers() const { return record->numbers(); }  ///< numbers per token
  int64_t max_position = 1024;                            ///< rows of cos_sin_cache
  int64_t row_stride(CacheStream input) const;            ///< in elements; 0: contiguous
  /// The case with at most that many rows; the same case if its slots are listed.
  CacheCase with_fewer_rows(int64_t rows) const;
};

/// Throws TableError naming row and column. `contract`: the case's own, or one that it refers to in a composed op.
CacheCase read_cache_case(const Cells& cells, const ContractRow& contract);

/// Throws TableError if rows of inputs with that many columns would overlap at the row strides of the case.
void require_row_strides(const Cells& cells, const CacheCase& c, const std::vector<int64_t>& widths);

/// Formats, rows and blocks of a case: "bf16.m7.b3x16.holes-7".
std::string cache_shape(const Case& c, const CacheCase& p);

/// "concat_and_cache_mla/vllm.fp8_ds_mla/bf16.m7.n3.b16.holes-5/normal.rope.s1/w32" in parts.
CaseName cache_case_name(const Case& c, const CacheCase& p);

/// What --minimize can reduce: tokens, if their slots follow a pattern.
Shrinking shrink_tokens(const CacheCase& c);

// Creates the tensors shared by ops of paged caches.

/// Input [m, columns] in the format of x; `tensor` as in FillRequest. Rows beyond the slots hold NaN: no kernel may read them.
/// Gaps between rows, if the case has them, hold NaN too.
HostTensor token_matrix(const std::string& name, const CacheCase& c, int64_t columns, const std::string& fill,
                        CacheStream stream);
/// Input norm_weight [elements of a token] in the format of x, for a contract with a norm.
inline constexpr const char* kNormWeight = "norm_weight";
HostTensor norm_weight(const CacheCase& c);
/// Input slot_mapping, int64.
HostTensor slot_mapping(const CacheCase& c);
/// For a contract that takes scales: input scale, or one per coded part of the record, such as k_scale. One value per group of
/// that part.
std::vector<HostTensor> cache_scales(const CacheCase& c);
std::vector<std::string> cache_scale_names(const CacheCase& c);
/// Input cos_sin_cache [max_position, rotary], of kPositions unless a case has more, fp32, as in qk_norm_rope.
inline constexpr int64_t kPositions = 1024;
HostTensor cos_sin_cache(const CacheCase& c, int64_t rotary);
/// Input positions [m], int64: random rows of cos_sin_cache; 0 for the first token.
HostTensor positions_of(const CacheCase& c);
/// The buffer [blocks, bytes of a block] with random bytes, so that a write anywhere is detected.
HostTensor cache_before(const std::string& name, const CacheCase& c);

// Inputs of the reference for each token of a case.

/// Which of the given scales a kernel uses for a group.
enum class WhichScale {
  kOwn,
  kOfTheOther,  ///< V's scale for K and K's for V
  kFirst        ///< the first head's scale for every head
};

/// Inputs of a kernel besides the elements of a token. The default is correct.
struct Misreading {
  AngleReading angles = {};
  bool unrotated = false;      ///< angles are not read, and no element is rotated
  bool amax_of_codes = false;  ///< amax compares bit patterns without sign as 16-bit integers
  WhichScale scales = WhichScale::kOwn;
};

class CacheInputs {
 public:
  CacheInputs(const Contract& contract, const CacheCase& c, const Problem& problem, const Misreading& misreading = {});

  RowInputs of_row(int64_t row) const;
  /// Codes of a token's numbers: its row of each leading input, concatenated.
  std::vector<uint32_t> codes_of_row(int64_t row) const;
  /// What a kernel stored in the record of a row, in the form of record_values().
  StoredRow stored(const std::vector<HostTensor>& outputs, int64_t row) const;

 private:
  /// The largest code of each group, as a number.
  Spans maxima_of_codes(const std::vector<uint32_t>& codes) const;
  /// Adds the given scales.
  void read_scales(RowInputs& inputs) const;
  /// Adds cosines and sines.
  void read_angles(int64_t row, RowInputs& inputs) const;

  const CacheCase& case_;
  const Problem& problem_;
  Misreading misreading_;
  bool scale_given_, rotates_, normalizes_;
  std::vector<double> gamma_;  ///< weights of a norm
};

// The accepted value of every byte of a paged cache: records of tokens, unused slots, gaps.

/// Where records are stored: as the case states, or with one mistake.
struct Placing {
  const Record* record;
  int64_t block_stride;
  std::vector<int64_t> slots;  ///< one for each input of the case
  std::string left_out = {};   ///< a part that is not written

  explicit Placing(const CacheCase& c) : record(c.record), block_stride(c.block_stride()), slots(c.slots) {}
  /// Byte offset of an element in a part of the record of a stored row.
  int64_t byte(const RecordPart& part, const CacheCase& c, size_t row, int64_t element) const;
  /// Whether both write to the same bytes.
  bool same_places(const Placing& other) const;
};

/// Name of the buffer in all ops here.
inline constexpr const char* kCache = "kv_cache";

/// `outputs` null: computed from the inputs alone. Elements are placed by `placing`; their part is the contract's.
Expectation expect_cache(const Contract& contract, const Placing& placing, const CacheCase& c, const Problem& problem,
                         const std::vector<HostTensor>* outputs, const Misreading& misreading = {});

/// The same for a mutant that keeps records in place, but only the record parts of the first stored row: a fast check.
Expectation expect_first_record(const Contract& contract, const CacheCase& c, const Problem& problem,
                                const Misreading& misreading);

/// Whether all bytes are inside the buffer, aligned to their elements, without overlap.
bool fits(const Placing& placing, const CacheCase& c);

}  // namespace assay
