// How the codes of b lie in memory: row by row, or shuffled for the loads of a tensor core.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "reference/contracts/row_cells.h"

namespace assay {

/// AITER's shuffle_weight(layout=(rows, products)), aiter/ops/shuffle.py e4048607: tiles of `rows` x 2 `products`, in a tile runs of
/// 16 bytes of a row, those of all rows one after the other. No rows: not shuffled.
struct WeightShuffle {
  int rows = 0, products = 0;

  bool any() const { return rows > 0; }
  /// Whether b [n, k] has whole tiles; else it cannot be shuffled.
  bool fits(int64_t n, int64_t k) const { return n % rows == 0 && k % (2 * products) == 0; }
  /// Where the code of a row and a product lies, in elements; `bytes`: of a code.
  int64_t place(int64_t row, int64_t product, int64_t k, int bytes) const;
  bool operator==(const WeightShuffle&) const = default;
};

/// The cell of a row that says it: "shuffle(16,16)" or "shuffle(32,16)". Throws TableError.
WeightShuffle read_weight_tile(const RowCells& cells, const std::string& column);

/// Codes of a byte, [n, k] row by row, as they lie shuffled; and back.
std::vector<std::byte> shuffled(const WeightShuffle& shuffle, const std::byte* codes, int64_t n, int64_t k);
std::vector<std::byte> unshuffled(const WeightShuffle& shuffle, const std::byte* memory, int64_t n, int64_t k);

}  // namespace assay
