// The alphabet: every verb of the recipes with its form, its meaning in real arithmetic and how it runs with its argument.
// It is closed: a new verb is a reviewed change of this table, lanes.cpp and testing/verb_definitions.h.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "reference/recipe/cell.h"
#include "reference/recipe/step.h"

namespace assay {

/// How the result moves with the value, for a fixed operand.
enum class Monotone { kUp, kDown, kBySign };

struct VerbInfo {
  Verb verb;
  std::string_view name;
  std::string_view form;     ///< how it is written
  std::string_view meaning;  ///< before the one rounding to the working format
  Monotone monotone;
  bool rounds;  ///< false: the result is on the grid already
  /// The same step with another rule, as a kernel might have it by mistake: of rounding, of NaN, of saturation; null: there is none.
  std::vector<CellStep> (*others)(const CellStep& step) = nullptr;
  /// The same, of mistakes that only data made for them can show; null: there is none.
  std::vector<CellStep> (*rare_others)(const CellStep& step) = nullptr;
};

std::span<const VerbInfo> all_verbs();
const VerbInfo* find_verb(std::string_view name);
const VerbInfo& info(Verb verb);

/// What a step could be by mistake. A reduction has no verb and is known here too.
std::vector<CellStep> other_forms(const CellStep& step);

/// What a step could be by mistake that only data made for it can show: of numbers with many bits one in 2^16 lies halfway
/// between two of 16 bits.
std::vector<CellStep> rare_forms(const CellStep& step);

/// The last step of codes that are integers, with another rule of rounding or of overflow.
std::vector<CellStep> other_casts(const CellStep& to);

}  // namespace assay
