// The steps of recipes: form, real-number meaning and implementation of each. The set is closed: a new step is a reviewed change
// of this table, lanes.cpp and testing/verb_definitions.h.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "reference/recipe/cell.h"
#include "reference/recipe/step.h"

namespace assay {

/// How the result changes with the value, for a fixed operand.
enum class Monotone { kUp, kDown, kBySign };

struct VerbInfo {
  Verb verb;
  std::string_view name;
  std::string_view form;     ///< notation
  std::string_view meaning;  ///< real-number function, before the rounding to the working format
  Monotone monotone;
  bool rounds;  ///< false: the result is already on the grid
  /// Plausible wrong variants of the step (rounding, NaN, saturation) as mutants; null: none.
  std::vector<CellStep> (*others)(const CellStep& step) = nullptr;
  /// Mutants that only special data kill; null: none.
  std::vector<CellStep> (*rare_others)(const CellStep& step) = nullptr;
};

std::span<const VerbInfo> all_verbs();
const VerbInfo* find_verb(std::string_view name);
const VerbInfo& info(Verb verb);

/// Mutants of a step. Also covers reductions, which are not in the table.
std::vector<CellStep> other_forms(const CellStep& step);

/// Mutants of a step that only special data kill: of numbers with many bits only one in 2^16 is halfway between two 16-bit
/// numbers.
std::vector<CellStep> rare_forms(const CellStep& step);

/// The final conversion to integer codes with another rounding or overflow rule.
std::vector<CellStep> other_casts(const CellStep& to);

}  // namespace assay
