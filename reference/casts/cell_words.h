// Keywords of casts.csv for rounding and overflow, for parsing and for names of mutants.
#pragma once

#include <algorithm>
#include <iterator>

#include "reference/casts/profile.h"

namespace assay {

template <class Value>
struct CellWord {
  const char* word;
  Value value;
};

inline constexpr CellWord<Rounding> kRoundingWords[] = {{"nearest_even", Rounding::kNearestEven},
                                                        {"nearest_away", Rounding::kNearestAway},
                                                        {"toward_zero", Rounding::kTowardZero},
                                                        {"down", Rounding::kDown},
                                                        {"up", Rounding::kUp}};

inline constexpr CellWord<Beyond> kBeyondWords[] = {
    {"largest", Beyond::kLargest}, {"special", Beyond::kSpecial}, {"special_above_largest", Beyond::kSpecialAboveLargest}};

/// The keyword of a value. Every value has one.
template <class Value, size_t N>
constexpr const char* word_of(const CellWord<Value> (&words)[N], Value value) {
  return std::find_if(std::begin(words), std::end(words), [&](const CellWord<Value>& w) { return w.value == value; })->word;
}

}  // namespace assay
