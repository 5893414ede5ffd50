// Generates new cases for fuzzing.
#pragma once

#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "harness/core/op.h"

namespace assay {

/// Takes a case, a new seed and some cells of other cases of the op. So generators, shapes and chains occur in combinations that
/// no table has. Deterministic in the cases and the seed.
class Inventor {
 public:
  /// Throws std::invalid_argument if there are no cases, or cases of several ops.
  Inventor(const Op& op, std::vector<Case> from, uint64_t seed);

  /// A case that is new; nothing if the combination is invalid or not new.
  std::optional<Case> next();

 private:
  const Case& any() { return from_[below(from_.size())]; }
  size_t below(size_t n) { return size_t(random_() % n); }

  const Op& op_;
  std::vector<Case> from_;
  std::set<std::string> known_;
  std::mt19937_64 random_;
};

}  // namespace assay
