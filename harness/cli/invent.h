// Generates new cases for fuzzing.
#pragma once

#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "harness/core/op.h"

namespace assay {

/// Takes a case, another seed, and some cells of other cases of the op: fills meet fills, shapes and chains with which no row has them.
/// Other cells are drawn: a size beside a power of two, any fill, other row counts and slots in a list, a pitch, earlier calls.
/// The same for the same cases and seed.
class Inventor {
 public:
  /// Throws std::invalid_argument if there are no cases, or cases of several ops.
  Inventor(const Op& op, std::vector<Case> from, uint64_t seed);

  /// A case that is new; nothing if the combination is invalid or not new.
  std::optional<Case> next();

 private:
  /// What the cells of a column hold, by those of all cases.
  enum class Cells { kOther, kFill, kSize, kOptionalNumber, kList };

  const Case& any() { return from_[below(from_.size())]; }
  size_t below(size_t n) { return size_t(random_() % n); }
  Cells kind_of(const std::string& column) const;
  /// A cell of that kind; the one given if the kind says nothing.
  std::string drawn(Cells kind, const std::string& cell);
  std::string drawn_list(const std::string& cell);

  const Op& op_;
  std::vector<Case> from_;
  std::set<std::string> known_;
  std::map<std::string, Cells> kinds_;
  std::vector<std::string> fills_;
  std::mt19937_64 random_;
};

}  // namespace assay
