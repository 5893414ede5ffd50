#include "reference/flow/dot/scales.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>

#include "reference/formats/codes.h"

namespace assay {
namespace {

constexpr const char* kNames[] = {"tensor", "token", "channel", "token_channel", "1x128_128x128", "1x128_1x128", "1x32_1x32"};

ScaleShape of_all() { return {}; }
ScaleShape of_rows(int64_t rows) { return {rows, 1, 1, 0}; }
ScaleShape of_blocks(int64_t rows, int64_t k, int64_t row_block, int64_t products) {
  return {(rows + row_block - 1) / row_block, (k + products - 1) / products, row_block, products};
}

}  // namespace

const char* name_of(GemmScales scales) { return kNames[size_t(scales)]; }

std::vector<std::byte> ScaleValues::codes(const Format& format, int64_t rows, int64_t k, int64_t block) const {
  std::vector<std::byte> all;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t first = 0; first < k; first += block) all.push_back(std::byte(code_of(format, at(row, first))));
  return all;
}

GemmScales gemm_scales_named(const std::string& name) {
  std::string known;
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (name == kNames[i]) return GemmScales(i);
    known += (i == 0 ? "" : ", ") + std::string(kNames[i]);
  }
  throw std::out_of_range("'" + name + "' is not one of: " + known);
}

ScaleShape scales_of_a(GemmScales scales, int64_t rows, int64_t k) {
  if (has_blocks(scales)) return of_blocks(rows, k, 1, products_of_scale(scales));
  return scales == GemmScales::kTokens || scales == GemmScales::kTokensAndChannels ? of_rows(rows) : of_all();
}

ScaleShape scales_of_b(GemmScales scales, int64_t rows, int64_t k) {
  if (has_blocks(scales)) return of_blocks(rows, k, scales == GemmScales::kRowAndTileBlocks ? kScaleBlock : 1, products_of_scale(scales));
  return scales == GemmScales::kChannels || scales == GemmScales::kTokensAndChannels ? of_rows(rows) : of_all();
}

}  // namespace assay
