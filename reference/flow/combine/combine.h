// The combine step of a mixture of experts: for each token, adds the rows that its experts computed. Contract rows, evaluation of
// one token, formulas and mutants.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/recipe/recipe.h"

namespace assay {

/// The registry entry of this op kind.
const Flow& combine_flow();

/// Which row of x belongs to slot k of token t. A slot is one of the topk experts of a token.
enum class RowsOfX {
  kSlots,       ///< x is [m, topk, n]: row t * topk + k
  kBySlot,      ///< x is [rows, n]: row row_of_slot[t, k], an index of shape [m, topk]
  kBySlotMajor  ///< x is [rows, n]: row row_of_slot[k, t], an index of shape [topk, m]
};

/// The order in which the slots of a token are added.
enum class SlotOrder {
  kAscending,  ///< 0, 1, ...
  kLanes,      ///< slot k is added to sum k mod lanes; then the sums are added in ascending order
  kDescending  ///< occurs in mutants only
};

/// A combine contract. Mutants modify it.
struct Combine {
  const ContractRow* row = nullptr;
  RowsOfX rows = RowsOfX::kSlots;
  bool skips_ids = false;      ///< a slot whose id is below 0 is not added
  bool skips_mapped = false;   ///< a slot whose expert_map entry is below 0 is not added, if there is a map
  bool skips_rows = false;     ///< a slot whose row is below 0 or not in use is not added
  bool skips_negative = false; ///< a slot whose row is below 0 is not added; every row of x is in use
  bool keeps_unrouted = false; ///< true: y of a token whose ids are all negative keeps its value; false: it gets zeros
  std::vector<CellStep> weight;  ///< from w, the weight of a slot, to the weight that is used
  std::vector<CellStep> add;     ///< from v, an element of the slot's row of x, to the next sum, with w and a = the sum so far
  std::vector<CellStep> shared;  ///< from an element of the shared expert's row to s, which `y` adds
  std::vector<CellStep> y;       ///< from the last sum to the result, with s
  SlotOrder order = SlotOrder::kAscending;
  int lanes = 0;                       ///< for SlotOrder::kLanes: number of separate sums
  std::vector<const Format*> formats;  ///< formats of x and y
  std::vector<int64_t> topk;           ///< supported numbers of slots; empty: any
  bool weights_of_x = false;           ///< weights have the format of x instead of f32

  // Mistakes, in mutants only.
  bool from_first = false;   ///< the sum starts with the first term instead of with +0
  int64_t dropped = kNone;   ///< this slot is not added
  int64_t repeated = kNone;  ///< this slot is added twice
  std::vector<CellStep> start = {};  ///< steps that change the initial sum, +0; empty: none
  enum class Other {
    kOwn,         ///< reads the value of this token and slot: no mistake
    kNextSlot,    ///< reads the value of the token's next slot
    kTransposed,  ///< reads the tensor [m, topk] as [topk, m]
    kNextToken    ///< reads the value of the same slot of the next token
  } weight_of = Other::kOwn,
    row_of = Other::kOwn, shared_of = Other::kOwn;
  bool skipped_rows_added = false;  ///< slots that the contract skips are added; a row below 0 is row 0
  bool rows_in_place = false;       ///< row_of_slot is not read: slot k of token t has row t * topk + k
  static constexpr int64_t kNone = -1;

  bool takes(const Format& x) const;
  bool takes_topk(int64_t topk) const;
  bool permuted() const { return rows != RowsOfX::kSlots; }
  bool skips() const { return skips_ids || skips_mapped || skips_rows || skips_negative; }
  bool weighs() const;    ///< has router weights
  bool scales() const;    ///< has the routed scaling factor
  bool adds_shared() const;  ///< adds the row of a shared expert
};

/// Throws TableError at the cell.
Combine read_combine(const ContractRow& row);

/// Inputs of one call. Index tensors are as the kernel receives them. Vectors of tensors that the contract does not have are
/// empty.
struct CombineInputs {
  const Format* x = nullptr;
  int64_t m = 0, topk = 0, n = 0;
  std::function<std::vector<double>(int64_t row)> row_of_x;
  std::function<std::vector<double>(int64_t token)> shared_of{};  ///< the shared expert's row, for a contract that adds it
  int64_t rows = 0;    ///< rows of x
  int64_t in_use = 0;  ///< the first in_use rows of x are in use; read only if the contract skips the other rows
  std::vector<double> weights;
  std::vector<int64_t> ids, map, row_of_slot;
  double factor = 1;  ///< routed scaling factor; converted to f32 before use
};

/// Whether the contract writes this token's row of y.
bool writes_token(const Combine& contract, const CombineInputs& inputs, int64_t token);

/// The accepted values of a token's row of y.
Spans combined(const Combine& contract, const CombineInputs& inputs, int64_t token);

/// A slot whose row is added: the slot, its row of x, and the weight before any conversion.
struct AddedSlot {
  int64_t slot = 0, row = 0;
  double weight = 1;
};
/// The slots of a token whose rows are added, in slot order.
std::vector<AddedSlot> added_slots(const Combine& contract, const CombineInputs& inputs, int64_t token);

/// The recipe of a cell, for elements in format `x`.
Recipe combine_recipe(const std::vector<CellStep>& cell, const Format& x);

/// The contract as formulas, one line per step.
std::vector<std::string> combine_lines(const Combine& contract, const Format& x);

/// A contract with one mistake.
struct CombineNeighbour {
  std::string name;  ///< such as "the last slot is left out", "weights: that of the next slot"
  Combine contract;
  bool suspect = false;  ///< only the diagnosis uses it: inputs need not expose it
};

/// The properties of a call that decide which mutants can change its result.
struct CombineExtents {
  int64_t m = 0, topk = 0;
  double factor = 1;     ///< routed scaling factor
  bool skipped = false;  ///< some slots are skipped
  bool map = false;      ///< there is an expert_map
};

/// Every mutant that can change the result of a call with these properties.
std::vector<CombineNeighbour> combine_neighbours(const Combine& contract, const Format& x, const CombineExtents& extents);

}  // namespace assay
