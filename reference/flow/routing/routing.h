// The integer steps of a mixture of experts: slots of tokens are sorted by expert, and rows are moved into that order. Contract
// rows, evaluation, formulas and mutants. Nothing is rounded, so every result is exact.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/formats/format.h"

namespace assay {

/// The registry entry of this op kind.
const Flow& routing_flow();

enum class RoutingGives {
  kBlocks,  ///< the slots of each expert, padded to whole blocks, and the expert of each block
  kRows,    ///< the rows of x in the order of experts, the first row of each expert, and the order with its inverse
  kMoved    ///< the rows of x that an index names
};
/// Slots whose id names no expert (id < 0 || id >= experts): not allowed, dropped, or sorted before or after all other slots.
enum class AbsentSlots { kNotAllowed, kDropped, kFirst, kLast };
/// Slots whose expert is on another device (its expert_map entry is < 0). kMarked: they are kept, and expert_ids holds the entry.
enum class SlotsElsewhere { kNoMap, kDropped, kMarked, kLast };

/// Mistakes, in mutants only. routing_neighbours() has a text for each.
enum class RoutingMistake {
  kNone,
  kTokens,
  kSlotMajor,
  kOtherPads,
  kBlockMore,
  kEmptyBlocks,
  kTotalUnpadded,
  kTotalInBlocks,
  kNextExpert,
  kMapIgnored,
  kNumbersOfAll,
  kAbsentIsZero,
  kAbsentDropped,
  kOtherTail,
  kExpertsDescending,
  kLastExpertLost,
  kCountsOfBlocks,
  kSlotsDescending,
  kOtherRows,
  kEnds,
  kSizes,
  kNoInverse,
  kScattered,
  kNextRow,
  kOutsideIsFirst
};

/// A routing contract. Mutants modify it.
struct Routing {
  const ContractRow* row = nullptr;
  RoutingGives gives = RoutingGives::kBlocks;
  AbsentSlots absent = AbsentSlots::kNotAllowed;
  SlotsElsewhere elsewhere = SlotsElsewhere::kNoMap;
  bool ascending = true;    ///< slots of an expert are in ascending order; otherwise in any order
  bool fills_pads = false;  ///< entries of sorted_ids without a slot hold the total number of slots; else they keep their value
  std::optional<int64_t> tail;        ///< what expert_ids holds after the last block; empty: what it held before
  bool counts = false;                ///< also gives token_nums
  bool zeros = false;                 ///< true: an index outside of x gives a row of zeros; false: every index is inside
  std::vector<const Format*> formats;  ///< formats of the rows
  RoutingMistake mistake = RoutingMistake::kNone;

  bool has_rows() const { return gives != RoutingGives::kBlocks; }
  bool takes(const Format& x) const;
};

/// Throws TableError at the cell.
Routing read_routing(const ContractRow& row);

/// The tensors and sizes of one call. `map` is empty for a call without an expert map.
struct RoutingInputs {
  int64_t m = 0, topk = 0, experts = 0, block_size = 1;
  int64_t room = 0;               ///< number of entries that the tensor sorted_ids has
  std::vector<int64_t> ids, map;  ///< [m, topk]; [experts]
  std::vector<int64_t> moves;     ///< for each row of y: the row of x

  int64_t slots() const { return int64_t(ids.size()); }
  /// Number of experts of this device.
  int64_t locals() const;
};

/// One index tensor of the result.
struct RoutedIndex {
  /// An entry that the kernel must leave as it was. Less than every index.
  static constexpr int64_t kUntouched = INT32_MIN;
  std::string name;
  std::vector<int64_t> values;
};
struct Routed {
  static constexpr int64_t kZeros = -1, kUntouched = -2;
  std::vector<RoutedIndex> indices;
  std::vector<int64_t> rows;                      ///< for each row of y: the row of x, kZeros or kUntouched
  std::vector<std::pair<int64_t, int64_t>> free;  ///< ranges [first, end) of sorted_ids; within each, any order is accepted
};
Routed routed(const Routing& contract, const RoutingInputs& inputs);

/// Orders the expected entries of each free range as the kernel's output `stored` does. Entries that `stored` lacks come last.
void follow_order(Routed& right, const std::vector<int64_t>& stored);

/// The contract as text.
std::vector<std::string> routing_lines(const Routing& contract);

/// A contract with one mistake.
struct RoutingNeighbour {
  std::string name;  ///< such as "expert_map is not read"
  Routing contract;
};

/// The properties of a call that decide which mutants can change its result.
struct RoutingExtents {
  int64_t slots = 0, topk = 0;
  bool absent = false;  ///< some slots have no expert, or some indices are outside of x
  bool map = false;     ///< there is an expert map
};
std::vector<RoutingNeighbour> routing_neighbours(const Routing& contract, const RoutingExtents& extents);

}  // namespace assay
