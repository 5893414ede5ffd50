// Mistakes of any op in how it reads an input: an index beside its place, one element for several, a part of the columns that a
// sum or a maximum leaves out. Each is a change of the input's data, so no op needs to know of them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/expectation.h"
#include "harness/core/tensor.h"
#include "harness/diagnosis/wrong_part.h"

namespace assay {

/// One such mistake.
struct InputEdit {
  size_t tensor = 0;  ///< of the problem
  std::string name;   ///< "x: [i, j] with j mod 8 = 3 is read from [i, j + 1]"
  /// The place from which the kernel reads instead; kZero: it uses 0. Places outside the tensor are moved to the nearest one.
  std::function<std::pair<int64_t, int64_t>(int64_t row, int64_t column)> source;
  /// Columns that a sum or a maximum leaves out. Outputs that also depend on such an element by itself are not judged.
  std::function<bool(int64_t column)> leaves_out = {};
  double share = 0;    ///< of the columns that are left out
  /// Places that this mistake fills from memory that the call does not describe. An output that depends only on such a place is
  /// not compared.
  std::function<bool(int64_t row, int64_t column)> unknown = {};
  /// Rows of which the same is true; an output row that depends on such a row is not compared.
  std::function<bool(int64_t row)> unknown_rows = {};
  /// What becomes of each code, where codes are read wrongly.
  std::function<uint32_t(uint32_t code)> code = {};
  std::vector<size_t> also = {};  ///< other tensors of the same shape that are read in the same way
  bool plain = false;  ///< one element or one row next to the right one; these are tried first

  Problem applied(const Problem& problem) const;
};
inline constexpr std::pair<int64_t, int64_t> kZero = {-1, -1};

/// The mistakes of all inputs that have enough elements to tell. `products`: multiply-accumulates of an output element.
std::vector<InputEdit> input_edits(const Problem& problem, int64_t products);

/// Runs of `away` columns are exchanged in pairs, from column `first` on, where both lie in one vector of `period` columns.
/// No sum or maximum of a group of whole vectors changes. It is not among input_edits(), and has no name.
InputEdit exchanged_in_pairs(const Problem& problem, size_t tensor, int64_t away, int64_t first, int64_t period);

/// False for records of bytes that mostly repeat: then an edit that moves them changes few, and explains these by chance.
bool data_tell(const InputEdit& edit, const Problem& problem, const Problem& changed);

/// For each part of an answer, whether its element is judged for an edit that leaves columns out or reads unknown places.
bool is_judged(const InputEdit& edit, const Problem& problem, const Answer& answer, const Part& part, int64_t row, int64_t column);

/// Scales that are too small because a maximum left out columns: finds these columns. Derived from elements that must be missing
/// from the maximum, and elements that cannot be missing.
std::optional<Regularity> left_out_of_maxima(const BoundCase& bound, const Problem& problem,
                                             const std::vector<HostTensor>& outputs, WorkBudget& budget);

}  // namespace assay
