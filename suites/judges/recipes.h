// Inputs of other projects' tests (recipes.csv), generated with Assay's random numbers.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "harness/core/call.h"
#include "harness/core/case.h"
#include "harness/core/op.h"

namespace assay::judges {

struct Recipe {
  std::string id;
  std::vector<std::string> x;  ///< formats of the input, or of d for GEMMs; the first that the kernel takes is used
  std::string fill;        ///< generated in that format (GEMMs: in the format of a and b), then
  double factor = 1;       ///< multiplied (GEMMs: the scales of a and the added terms),
  double offset = 0;       ///< shifted,
  bool over_n = false;     ///< and divided by the number of columns, then rounded again
  std::string gamma, eps;  ///< for norms: a generator and the case's cell; for GEMMs gamma is the generator of scales
  std::vector<std::array<int64_t, 3>> shapes;  ///< rows, columns, and k; 0 unless a GEMM
  std::vector<std::string> ranks{};  ///< for ops with ranks: how many; empty: as in the kernel's cases
  int64_t before = 0;                ///< for ops with ranks: number of warm-up calls
  bool again = false;                ///< whether these have the same inputs
};

/// Reads recipes.csv. Throws TableError.
std::vector<Recipe> load_recipes(const std::string& file);

/// Inputs are used as they are, and scaled down and up by this much. There an absolute tolerance is above, and far below, the
/// data. Below 2^-10 the first recipes reach the floors of scales; above 2^10 fp16 overflows.
inline constexpr std::array<double, 3> kScales = {0x1p-10, 1.0, 0x1p10};

struct Trial {
  Case one;
  Problem problem;
  size_t scale = 0;  ///< index into kScales
};

/// The recipe's inputs at every scale, in each of its shapes that the kernel takes. Everything else is as in the first of the
/// `models` that the kernel takes, preferring groups of 128. A bound on amax is half the largest value of uniform data. Given
/// scales are amax / largest code, as the projects compute them.
std::vector<Trial> trials(const Recipe& recipe, const KernelOffer& kernel, const std::vector<Case>& models);

}  // namespace assay::judges
