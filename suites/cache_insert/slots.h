// Where the rows of a case go: the cell `slot_mapping`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace assay {

/// `3;-1;0`: as it stands. A word and a number of rows, `shuffled:60`: `order` takes the first slots, `pages` whole blocks from the last
/// to the first, `shuffled` any; `holes` is `shuffled` with every third row nowhere, the first of them the second row. Places are below
/// `places`, a multiple of `block_size`. Throws std::invalid_argument: no such word, more rows than places, a place that is taken.
std::vector<int64_t> slots_from(const std::string& cell, int64_t places, int64_t block_size, uint64_t seed);

}  // namespace assay
