// Where the rows of a case go: the cell `slot_mapping`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace assay {

/// How the rows of a case take the places of a cache.
enum class SlotPattern {
  kListed,    ///< each row where it is said: `3;-1;0`
  kOrder,     ///< the first places: `order:60`
  kPages,     ///< whole blocks from the last to the first: `pages:60`
  kShuffled,  ///< any: `shuffled:60`
  kHoles      ///< as kShuffled, and every third row nowhere, the first of them the second row: `holes:60`
};

/// The cell.
struct SlotCell {
  SlotPattern pattern = SlotPattern::kListed;
  int64_t rows = 0;              ///< of a pattern
  std::vector<int64_t> listed;  ///< else
  std::string text() const;
};

/// Throws std::invalid_argument: no such word, no numbers.
SlotCell parse_slots(const std::string& cell);

/// Places are below `places`, a multiple of `block_size`. Throws std::invalid_argument: more rows than places, a place that is taken.
std::vector<int64_t> slots_of(const SlotCell& cell, int64_t places, int64_t block_size, uint64_t seed);

}  // namespace assay
