// Reads and checks the cells of a case; tensors and parameters that several ops share. Errors name table row and column.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/op.h"
#include "reference/contracts/contract_rows.h"

namespace assay {

/// The alternatives in a cell: {"row", "col"} for "row|col".
std::vector<std::string> alternatives_of(const std::string& cell);

class Cells {
 public:
  explicit Cells(const Case& c) : case_(c) {}

  bool has(const std::string& column) const { return case_.parameters.contains(column); }
  /// Whether the table has the column and the cell is not empty; false without such a column.
  bool given(const std::string& column) const { return has(column) && !text(column).empty(); }
  /// Whether the cell is given. Throws TableError for a given cell if `has_use` is false. Also throws for an empty cell if
  /// `required` is true and the case comes from a table (a dump has tensors instead). `what`: what the error calls the input.
  bool wanted(const std::string& column, bool has_use, const std::string& what, bool required = true) const;
  const std::string& text(const std::string& column) const { return case_.text(column); }
  /// Throws TableError about this cell.
  [[noreturn]] void refuse(const std::string& column, const std::string& problem) const;
  /// Throws TableError about the cell `contract`, unless `why` is empty.
  void refuse_contract(const std::string& why) const {
    if (!why.empty()) refuse("contract", why);
  }
  int64_t positive(const std::string& column) const;
  /// 0 or a positive integer.
  int64_t from_zero(const std::string& column) const { return text(column) == "0" ? 0 : positive(column); }
  /// Parses "1;0;2*130" to {1, 0, 130, 130}; an empty cell to {}. `expected`: what each item must be, for the error.
  std::vector<int64_t> list(const std::string& column, const std::string& expected, size_t digits = 9) const;
  /// A list with at least one number; each number may be 0.
  std::vector<int64_t> counts(const std::string& column) const;
  /// A nonnegative number.
  double number(const std::string& column) const;
  /// The format that the cell names. Throws TableError if `takes` returns false; the error quotes cell `listed` of the contract.
  const Format& format_taken(const std::string& column, const ContractRow& row, const std::string& listed,
                             const std::function<bool(const Format&)>& takes) const;
  int warp() const;
  const ContractRow& contract() const;
  bool of_given_data() const { return case_.of_given_data; }
  /// The input generator. Empty for given data, because the caller provides the tensor.
  std::string fill_name(const std::string& column) const;
  /// The seed of the input generators; 0 for given data.
  uint64_t seed() const;

 private:
  const Case& case_;
};

}  // namespace assay

namespace assay::roles {

// Tensors and parameters of several ops. `assay list --op` and `assay explain` print their texts for authors of plug-ins.

inline const RoleSpec kX{"x", Access::kIn, "[m, n]: the input, row-major; the row stride may be larger than n"};
inline const RoleSpec kHalves{"x", Access::kIn,
                              "[m, 2 n]: each row has a gate half and an up half; the contract says which comes first"};
inline const RoleSpec kResidual{"residual", Access::kInOut, "[m, n]: residual, added to x and overwritten by the sum"};
inline const RoleSpec kGamma{"gamma", Access::kIn, "[n]: weights"};
inline const RoleSpec kBeta{"beta", Access::kIn, "[n]: beta, added after the weight"};
inline const RoleSpec kGate{
    "gate", Access::kIn, "[m, n] in the format of x: its activation is a factor of the norm; only for contracts with a gate"};
inline const RoleSpec kY{"y", Access::kOut, "[m, n] in the format of x"};
inline const RoleSpec kQ{"q", Access::kOut, "[m, n]: the codes, row-major and dense"};
inline const RoleSpec kScale{"scale", Access::kOut,
                             "one scale per group, in the case's layout; dequantization multiplies by it"};
inline const RoleSpec kGlobalScale{"global_scale", Access::kIn,
                                   "[1], [m] or [experts] f32: the outer scale, to which the scales of the groups are "
                                   "relative; only for contracts with an outer scale"};
inline const RoleSpec kScaleGiven{"scale", Access::kIn, "one scale per group, in the case's layout"};
inline const RoleSpec kAzp{"azp", Access::kOut, "[ceil(m / group_rows), ceil(n / group_size)] int32: one zero point for each scale"};
inline const RoleSpec kAzpGiven{"azp", Access::kIn,
                                "[ceil(m / group_rows), ceil(n / group_size)] int32: one zero point for each scale; only for "
                                "contracts with zero points"};
inline const RoleSpec kSlots{"slot_mapping", Access::kIn,
                             "int64: the slot of each token, which is block * block_size + position in the block. A "
                             "token with a negative slot, or without an entry, is not stored"};
inline const RoleSpec kCacheBuffer{
    "kv_cache", Access::kInOut,
    "[blocks, bytes of a block] uint8: holds data before the call; only the entries of the tokens may change"};
inline const RoleSpec kCosSin{"cos_sin_cache", Access::kIn,
                              "[positions, rotary]: for each position, the cosines of all pairs, then their sines"};
inline const RoleSpec kPositions{"positions", Access::kIn, "[m] int64: for each token, its row of cos_sin_cache"};

inline const ParameterSpec kWarp{"warp", "warp size for a CPU library, 32 or 64; a GPU library uses the warp size of its GPU"};
inline const ParameterSpec kEps{"eps", "epsilon, added to the mean square or variance before the root"};
inline const ParameterSpec kGroupSize{"group_size", "number of columns that share a scale"};
inline const ParameterSpec kGroupRows{"group_rows", "number of rows that share a scale"};
inline const ParameterSpec kScaleUb{"scale_ub", "upper bound of amax, if the contract has one"};
inline const ParameterSpec kTileRows{"scale_tile_rows",
                                     "number of rows of a tile of a swizzled scale layout; absent for other layouts"};
inline const ParameterSpec kTileColumns{"scale_tile_columns", "number of columns of a tile of a swizzled scale layout; absent for other layouts"};
inline const ParameterSpec kBlockSize{"block_size", "number of tokens of a block of the cache"};
inline const ParameterSpec kQHeads{"q_heads", "number of heads of Q of a token"};

}  // namespace assay::roles
