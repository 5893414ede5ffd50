// Where element [b, r, c] of a weight of e experts, n rows and k columns lies: rows of weights.csv.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reference/exact/expression.h"
#include "reference/formats/format.h"

namespace assay {

struct WeightLayout {
  std::string id;
  const Format* type;
  int64_t multiple_of_n = 1, multiple_of_k = 1;  ///< what n and k must be multiples of
  Expression offset;                             ///< of element [b, r, c], in elements; names e, n, k, b, r, c
  std::string source, why;
};

/// Extents of a weight; one expert is a plain matrix.
struct WeightExtents {
  int64_t e = 1, n = 0, k = 0;

  int64_t elements() const { return e * n * k; }
};

/// Throws std::invalid_argument for extents that are no whole tiles.
int64_t weight_offset(const WeightLayout& layout, const WeightExtents& extents, int64_t b, int64_t r, int64_t c);

/// Reads weights.csv. Throws TableError.
std::vector<WeightLayout> load_weight_layouts(const std::string& file);

}  // namespace assay
