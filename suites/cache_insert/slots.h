// Slots of a case's rows: the cell `slot_mapping`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace assay {

/// How rows are assigned to slots of a cache.
enum class SlotPattern {
  kListed,    ///< each row as listed: `3;-1;0`
  kOrder,     ///< the first slots: `order:60`
  kPages,     ///< whole blocks from the last to the first: `pages:60`
  kShuffled,  ///< random slots: `shuffled:60`
  kHoles      ///< as kShuffled, but every third row, from the second on, is not stored: `holes:60`
};

/// The parsed cell.
struct SlotCell {
  SlotPattern pattern = SlotPattern::kListed;
  int64_t rows = 0;              ///< for a pattern
  std::vector<int64_t> listed;  ///< for a list
  std::string text() const;
};

/// Throws std::invalid_argument for an unknown word or invalid numbers.
SlotCell parse_slots(const std::string& cell);

/// Slots are below `places`, a multiple of `block_size`. Throws std::invalid_argument: more rows than slots, or a slot used
/// twice.
std::vector<int64_t> slots_of(const SlotCell& cell, int64_t places, int64_t block_size, uint64_t seed);

}  // namespace assay
