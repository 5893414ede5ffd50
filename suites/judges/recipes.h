// Inputs as other projects' tests make them (recipes.csv), in Assay's own random numbers.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "harness/backend/call.h"
#include "harness/core/case.h"
#include "harness/core/op.h"

namespace assay::judges {

struct Recipe {
  std::string id;
  std::string x;           ///< format of the input
  std::string fill;        ///< made in that format, then
  double factor = 1;       ///< multiplied,
  bool over_n = false;     ///< divided by the number of columns, and rounded again
  std::string gamma, eps;  ///< of norms: a fill and the case's cell
  std::vector<std::array<int64_t, 2>> shapes;
};

/// Reads recipes.csv. Throws TableError.
std::vector<Recipe> load_recipes(const std::string& file);

struct Trial {
  Case one;
  Problem problem;
};

/// The recipe's inputs times `scale`, in each of its shapes that the kernel takes; all else is as in the first of the `models`
/// that the kernel takes, those with groups of 128 before others. A bound of amax is half the largest that uniform data may have;
/// a scale that is given is amax over the largest code, as the projects compute theirs.
std::vector<Trial> trials(const Recipe& recipe, double scale, const KernelOffer& kernel, const std::vector<Case>& models);

}  // namespace assay::judges
