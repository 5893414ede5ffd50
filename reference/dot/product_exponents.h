// The largest exponents of products, to which a tensor core aligns, computed for a tile of y.
#pragma once

#include <algorithm>
#include <type_traits>
#include <variant>
#include <vector>

#include "reference/dot/chunk_side.h"
#include "reference/dot/panels.h"
#include "reference/dot/tile.h"

namespace assay {

/// Some rows and columns of a tile, with rows in register tiles.
struct PartOfTile {
  int64_t row_tile, row_tiles, column, columns;
};

struct ExponentsOfPart {
  int16_t* largest;  ///< [rows][stride]
  int64_t stride;
};

/// Panels of exponents of one side, each number of type T repeated to fill an Element.
template <class T, class Element>
class ExponentPanels {
 public:
  ExponentPanels(const DecodedOperand& operand, int width, int64_t rows, int64_t depth, bool scaled)
      : operand_(operand), scaled_(scaled), panels_(width, rows, depth, kSegment, copies(kNoDotExponent)), exponents_(kSegment) {
    if (!operand.bytes(0, 0) || (scaled && operand.scales_change_along_k())) return;
    for (int16_t exponent : operand.exponents_of_bytes()) table_.push_back(copies(exponent));
  }

  void pack(int64_t first_row, int64_t first, int64_t k) {
    if (!table_.empty())
      return panels_.pack_bytes(k, table_, [&](int64_t i, int64_t j) { return operand_.bytes(first_row + i, first + j); });
    panels_.pack(k, [&](int64_t i, int64_t j, std::span<Element> to) {
      operand_.exponents(first_row + i, first + j, scaled_, std::span(exponents_.data(), to.size()));
      std::transform(exponents_.begin(), exponents_.begin() + int64_t(to.size()), to.begin(), copies);
    });
  }
  const Element* tile(int64_t i, int64_t k) const { return panels_.tile(i, k); }

 private:
  static Element copies(int16_t exponent) {
    constexpr auto kOnes = uint32_t(sizeof(Element) == sizeof(T) ? 1 : sizeof(T) == 1 ? 0x01010101 : 0x00010001);
    const auto number = T(sizeof(T) == 1 && exponent == kNoDotExponent ? kNoSmallExponent : exponent);
    return Element(std::make_unsigned_t<T>(number) * kOnes);
  }

  const DecodedOperand& operand_;
  bool scaled_;
  Panels<Element> panels_;
  std::vector<int16_t> exponents_;
  std::vector<Element> table_;  ///< for all one-byte codes
};

/// The largest exponents of the products of chunks, with exponents of type T.
template <class T>
class ProductExponents {
 public:
  ProductExponents(const DotTask& task, const DotRange& part, int64_t depth)
      : kernels_(task.kernels),
        part_(part),
        a_(task.a, kernels_.tile_rows, part.rows, depth, task.outputs.model->scales_inside),
        b_(task.b, kernels_.exponent_columns, part.columns, depth, task.outputs.model->scales_inside) {}

  void pack(int64_t first, int64_t k) {
    a_.pack(part_.first_row, first, k);
    b_.pack(part_.first_column, first, k);
    depth_ = k;
  }
  /// For the products of one chunk of a stretch.
  void raise(const Stretch& s, int64_t chunk, const PartOfTile& part, const ExponentsOfPart& to) {
    const int64_t width = kernels_.exponent_columns, k = chunk * s.k;
    const ExponentBlock<T> block{.a = a_.tile(part.row_tile, k),
                                 .b = b_.tile(part.column / width, k),
                                 .k = s.k,
                                 .depth = depth_,
                                 .row_tiles = part.row_tiles,
                                 .column_tiles = ceil_div(part.columns, width),
                                 .begins = s.begins,
                                 .largest = to.largest,
                                 .stride = to.stride};
    if constexpr (sizeof(T) == 1)
      kernels_.raise_small_exponents(block);
    else
      kernels_.raise_exponents(block);
  }

 private:
  const DotKernels& kernels_;
  const DotRange part_;
  ExponentPanels<T, int32_t> a_;
  ExponentPanels<T, T> b_;
  int64_t depth_ = 0;
};

using OfProducts = std::variant<ProductExponents<int8_t>, ProductExponents<int16_t>>;

inline OfProducts product_exponents(const DotTask& task, const DotRange& part, int64_t depth) {
  const bool scaled = task.outputs.model->scales_inside;
  if (task.a.has_small_exponents(scaled) && task.b.has_small_exponents(scaled)) return ProductExponents<int8_t>(task, part, depth);
  return ProductExponents<int16_t>(task, part, depth);
}

}  // namespace assay
