// Inputs as other projects' tests make them (recipes.csv), in Assay's own random numbers.
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
  std::vector<std::string> x;  ///< formats of the input, of GEMMs of d: the first that the kernel takes
  std::string fill;        ///< made in that format, of GEMMs in that of a and b, then
  double factor = 1;       ///< multiplied, of GEMMs the scales of a and what is added,
  double offset = 0;       ///< moved,
  bool over_n = false;     ///< divided by the number of columns, and rounded again
  std::string gamma, eps;  ///< of norms: a fill and the case's cell; of GEMMs gamma is the fill of scales
  std::vector<std::array<int64_t, 3>> shapes;  ///< rows, columns, and products of an element of d; 0: of no GEMM
  std::vector<std::string> ranks{};  ///< of ops of ranks: how many; the kernel's cases say so if there are none
  int64_t before = 0;                ///< of ops of ranks: calls that are made first
  bool again = false;                ///< these have the same numbers; else other ones
};

/// Reads recipes.csv. Throws TableError.
std::vector<Recipe> load_recipes(const std::string& file);

/// Inputs of a recipe are taken as they are, and this much smaller and larger: there an absolute tolerance is above the data, and
/// far below them; below 2^-10 the first recipes come to the floors of scales, beyond 2^10 fp16 overflows.
inline constexpr std::array<double, 3> kScales = {0x1p-10, 1.0, 0x1p10};

struct Trial {
  Case one;
  Problem problem;
  size_t scale = 0;  ///< which of kScales
};

/// The recipe's inputs at every scale, in each of its shapes that the kernel takes; all else is as in the first of the `models`
/// that the kernel takes, those with groups of 128 before others. A bound of amax is half the largest that uniform data may have;
/// scales that are given are amax over the largest code, as the projects compute theirs.
std::vector<Trial> trials(const Recipe& recipe, const KernelOffer& kernel, const std::vector<Case>& models);

}  // namespace assay::judges
