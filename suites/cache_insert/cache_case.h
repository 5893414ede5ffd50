// A case of the ops that fill a paged cache: its columns, slots and tensors, what the reference reads for each token, and the
// accepted value of every byte.
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

// The slots of a case's rows: the cell `slot_mapping`.

/// Which slot of the cache each row gets; the comments show the cell.
enum class SlotPattern {
  kListed,    ///< a list: `3;-1;0`
  kOrder,     ///< slots 0, 1, 2, ...: `order:60`
  kPages,     ///< whole blocks, from the last block to the first: `pages:60`
  kShuffled,  ///< random slots: `shuffled:60`
  kHoles      ///< random slots, but rows 1, 4, 7, ... are not stored: `holes:60`
};

/// The parsed cell.
struct SlotCell {
  SlotPattern pattern = SlotPattern::kListed;
  int64_t rows = 0;              ///< number of rows; only for a pattern
  std::vector<int64_t> listed;  ///< slots; only for a list
  std::string text() const;
};

/// Parses the cell. Throws std::invalid_argument for an unknown pattern or an invalid number.
SlotCell parse_slots(const std::string& cell);

/// The slot of each row; negative: the row is not stored. The cache has `places` slots in blocks of `block_size`. Throws
/// std::invalid_argument for more rows than slots, for a slot >= places, and for a slot that two rows use.
std::vector<int64_t> slots_of(const SlotCell& cell, int64_t places, int64_t block_size, uint64_t seed);

/// Random streams of the tensors of these ops. Golden files depend on them, so a new tensor needs a new number.
enum class CacheStream : uint32_t {
  kFirst = 0,   ///< the first or only tensor of tokens
  kSecond = 1,  ///< the second tensor of tokens
  kScales = 2,  ///< the first tensor of scales; the second one has the number 3
  kSlots = 11,
  kBytes = 12,  ///< contents of the cache before the call
  kAngles = 13,
  kPositions = 14,
  kBesideHeads = 15,  ///< the KV input of dsv4_qnorm_kv_insert
  kWeights = 16
};

/// Parameters of one case.
struct CacheCase {
  std::string contract;
  std::shared_ptr<const Contract> bound;  ///< the contract, bound to the format of the inputs
  const Record* record = nullptr;  ///< what a token's entry in the cache contains, and where in its block
  const Format* x = nullptr;       ///< format of the inputs
  const Format* q = nullptr;       ///< format of the codes
  int64_t m = 0;                   ///< rows of the inputs; only the first slots.size() of them have a slot
  int64_t blocks = 0, block_size = 0;
  int64_t gap = 0;                            ///< unused bytes at the end of each block
  SlotCell slot_cell;
  std::vector<int64_t> slots;                 ///< slot of each row in the cache; negative: the row is not stored
  int64_t coded = 0;                          ///< elements of a token that become codes; they come first
  int64_t group_size = 0;                     ///< codes that share a scale
  size_t first_input = 0;                     ///< index of the first tensor of tokens in the call
  std::string fill, second_fill, scale_fill;  ///< input generators of the first and second tensor of tokens, and of the scales
  std::vector<int64_t> row_strides;           ///< row stride of each tensor of tokens, in elements; empty: contiguous
  std::string gamma;                          ///< for a contract with a norm: input generator of its weights
  double eps = 0;                             ///< for a contract with a norm
  uint64_t seed = 0;
  int warp = 0;

  int64_t block_stride() const { return record->block_bytes(block_size, *q, *x) + gap; }
  int64_t numbers() const { return record->numbers(); }  ///< elements of a token
  int64_t max_position = 1024;                            ///< rows of cos_sin_cache
  int64_t row_stride(CacheStream input) const;            ///< in elements; 0: contiguous
  /// This case with at most `rows` rows; unchanged if its slots are a list.
  CacheCase with_fewer_rows(int64_t rows) const;
};

/// Throws TableError with row and column. `contract`: the case's own contract or, in a composed op, one that it refers to.
CacheCase read_cache_case(const Cells& cells, const ContractRow& contract);

/// Throws TableError if a row stride of the case is smaller than the width of its input (`widths`, in elements).
void require_row_strides(const Cells& cells, const CacheCase& c, const std::vector<int64_t>& widths);

/// Formats, rows, blocks and slots of a case: "bf16.m7.b3x16.holes-7".
std::string cache_shape(const Case& c, const CacheCase& p);

/// The parts of an id such as "concat_and_cache_mla/vllm.fp8_ds_mla/bf16.m7.n3.b16.holes-5/normal.rope.s1/w32".
CaseName cache_case_name(const Case& c, const CacheCase& p);

/// What --minimize can reduce: the number of tokens, if their slots follow a pattern.
Shrinking shrink_tokens(const CacheCase& c);

// Tensors of the ops for paged caches.

/// Input [m, columns] in the format of x, from random stream `stream`. Rows without a slot, and gaps between rows, hold NaN: no
/// kernel may read them.
HostTensor token_matrix(const std::string& name, const CacheCase& c, int64_t columns, const std::string& fill,
                        CacheStream stream);
/// Input norm_weight in the format of x, with one element for each element of a token; only for a contract with a norm.
inline constexpr const char* kNormWeight = "norm_weight";
HostTensor norm_weight(const CacheCase& c);
/// Input slot_mapping, int64.
HostTensor slot_mapping(const CacheCase& c);
/// Scales that are given to the kernel: input `scale`, or one input for each coded part of the record, such as k_scale. Each has
/// one value per group of that part.
std::vector<HostTensor> cache_scales(const CacheCase& c);
std::vector<std::string> cache_scale_names(const CacheCase& c);
/// Input cos_sin_cache [max_position, rotary], fp32, as unit_circle_cache() makes it. kPositions: the usual max_position.
inline constexpr int64_t kPositions = 1024;
HostTensor cos_sin_cache(const CacheCase& c, int64_t rotary);
/// Input positions [m], int64: random rows of cos_sin_cache; the first token has position 0.
HostTensor positions_of(const CacheCase& c);
/// The cache before the call, [blocks, bytes of a block]: random bytes, so that a write to any byte is detected.
HostTensor cache_before(const std::string& name, const CacheCase& c);

// The reference's inputs for each token.

/// Which of the given scales a kernel uses for a group. Only kOwn is correct.
enum class WhichScale {
  kOwn,
  kOfTheOther,  ///< the scale of V for K, and the scale of K for V
  kFirst        ///< the scale of the first head, for all heads
};

/// How a kernel reads inputs. The defaults are correct; others describe mutants.
struct Misreading {
  AngleReading angles = {};
  bool unrotated = false;      ///< no element is rotated
  bool amax_of_codes = false;  ///< amax compares the bits without sign as 16-bit integers
  WhichScale scales = WhichScale::kOwn;
};

class CacheInputs {
 public:
  CacheInputs(const Contract& contract, const CacheCase& c, const Problem& problem, const Misreading& misreading = {});

  RowInputs of_row(int64_t row) const;
  /// The codes of a token's elements: its rows of all tensors of tokens, one after the other.
  std::vector<uint32_t> codes_of_row(int64_t row) const;
  /// What a kernel stored for a row, arranged as record_values() arranges the expected values.
  StoredRow stored(const std::vector<HostTensor>& outputs, int64_t row) const;

 private:
  /// For each group the largest code (without sign) as a number, for the mutant amax_of_codes.
  Spans maxima_of_codes(const std::vector<uint32_t>& codes) const;
  /// Adds the scales that are given to the kernel.
  void read_scales(RowInputs& inputs) const;
  /// Adds the cosines and sines of the row.
  void read_angles(int64_t row, RowInputs& inputs) const;

  const CacheCase& case_;
  const Problem& problem_;
  Misreading misreading_;
  bool scale_given_, rotates_, normalizes_;
  std::vector<double> gamma_;  ///< weights of the norm, if there is one
};

// The accepted value of every byte of a paged cache: entries of tokens (records), unused slots, gaps.

/// Where a kernel stores records. The constructor takes all members from the case; a mutant changes one member.
struct Placing {
  const Record* record;
  int64_t block_stride;
  std::vector<int64_t> slots;  ///< the slot of each row
  std::string left_out = {};   ///< name of a part that is not written; empty: none

  explicit Placing(const CacheCase& c) : record(c.record), block_stride(c.block_stride()), slots(c.slots) {}
  /// Byte offset in the cache of an element of a part, for a row with a slot.
  int64_t byte(const RecordPart& part, const CacheCase& c, size_t row, int64_t element) const;
  /// Whether both placings write the same bytes of the cache.
  bool same_places(const Placing& other) const;
};

/// The name of the cache tensor in all ops that fill a paged cache.
inline constexpr const char* kCache = "kv_cache";

/// Accepted bytes of the cache; `placing` gives the addresses. With `outputs`, accepted bytes may depend on stored scales.
Expectation expect_cache(const Contract& contract, const Placing& placing, const CacheCase& c, const Problem& problem,
                         const std::vector<HostTensor>* outputs, const Misreading& misreading = {});

/// The accepted bytes of only the first stored record: a fast first check of mutants that do not move records.
Expectation expect_first_record(const Contract& contract, const CacheCase& c, const Problem& problem,
                                const Misreading& misreading);

/// Whether all elements lie inside the cache, at multiples of their size, and do not overlap.
bool fits(const Placing& placing, const CacheCase& c);

}  // namespace assay
