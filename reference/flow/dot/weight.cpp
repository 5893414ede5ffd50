#include "reference/flow/dot/weight.h"

namespace assay {

int64_t WeightShuffle::place(int64_t row, int64_t product, int64_t k, int bytes) const {
  const int64_t tile_k = 2 * products, run = 16 / bytes;
  const int64_t tile = row / rows * (rows * k) + product / tile_k * (rows * tile_k);
  return tile + product % tile_k / run * (rows * run) + row % rows * run + product % run;
}

WeightShuffle read_weight_tile(const RowCells& cells, const std::string& column) {
  const std::vector<CellStep> words = cells.steps(column);
  const std::vector<std::string> tile = words.size() == 1 && words[0].word == "shuffle" ? words[0].argument_texts() : std::vector<std::string>();
  if (tile != std::vector<std::string>{"16", "16"} && tile != std::vector<std::string>{"32", "16"})
    throw cells.error(column, 0, "is shuffle(16,16) or shuffle(32,16)");
  return {std::stoi(tile[0]), std::stoi(tile[1])};
}

std::vector<std::byte> shuffled(const WeightShuffle& shuffle, const std::byte* codes, int64_t n, int64_t k) {
  std::vector<std::byte> memory(static_cast<size_t>(n * k));
  for (int64_t row = 0; row < n; ++row)
    for (int64_t i = 0; i < k; ++i) memory[size_t(shuffle.place(row, i, k, 1))] = codes[row * k + i];
  return memory;
}

std::vector<std::byte> unshuffled(const WeightShuffle& shuffle, const std::byte* memory, int64_t n, int64_t k) {
  std::vector<std::byte> codes(static_cast<size_t>(n * k));
  for (int64_t row = 0; row < n; ++row)
    for (int64_t i = 0; i < k; ++i) codes[size_t(row * k + i)] = memory[shuffle.place(row, i, k, 1)];
  return codes;
}

}  // namespace assay
