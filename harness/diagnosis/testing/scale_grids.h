// Helpers for tests that build scale tensors element by element and check the findings.
#pragma once

#include <bit>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "harness/diagnosis/scales.h"
#include "harness/fill/philox.h"

namespace assay::scale_grids {

inline ScaleGrid floats(int64_t rows, int64_t columns, const std::function<float(int64_t, int64_t)>& scale) {
  ScaleGrid grid{"scale", ScaleKind::kFloats, rows, columns, {}, rows, columns, false, false, false, false};
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) grid.codes.push_back(std::bit_cast<uint32_t>(scale(r, c)));
  return grid;
}

inline ScaleGrid bytes(int64_t rows, int64_t columns, const std::function<int64_t(int64_t, int64_t)>& byte,
                       ScaleKind kind = ScaleKind::kWords) {
  ScaleGrid grid{"scale", kind, rows, columns, {}, rows, columns, false, true, true, false};
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) grid.codes.push_back(byte(r, c));
  return grid;
}

inline std::vector<std::string> scales_found(const ScaleGrid& grid) {
  std::vector<std::string> all;
  for (const ScaleFinding& finding : look_at_scales(grid).findings) all.push_back(finding.what);
  return all;
}

inline std::string text_of(const ScaleGrid& grid) { return scale_text(grid, look_at_scales(grid)); }

/// Uniform in [0, 1), for element [r, c].
inline double uniform(uint64_t seed, int64_t r, int64_t c) { return Random(seed, 0).uniform(r * 1000 + c); }

}  // namespace assay::scale_grids
