// The words of a cause, taken apart: reports count causes, hold them against each other and merge those that differ in numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "harness/compare/verdict.h"

namespace assay {

/// "explains 12 of 13 failing elements and contradicts 1 good ones: scale: ceil -> floor", as diagnosis writes it.
struct ToldCause {
  int64_t explained = 0, failing = 0, contradicted = 0;
  std::string mistake;  ///< "scale: ceil -> floor"; two mistakes are joined by "; and "

  bool complete() const { return explained == failing && contradicted == 0; }
};

/// Nothing for other words: "no known cause", a race, padding.
std::optional<ToldCause> parse_cause(const std::string& words);

/// Numbers and places of elements become "#", so that one mistake in two tensors has one name. Digits within a word stay:
/// "e4m3fn". Parts of a list that are then alike become one: "byte 0 in 1 word, byte 1 in 2 words" is "byte # in # words".
std::string with_numbers_masked(const std::string& text);

/// The cause of a failure in words that other failures may share: the mistake of its first cause, or its message. Empty if
/// neither says anything.
std::string first_mistake(const Verdict& verdict);

/// The case id without its warp size: twins share their data.
std::string data_of(const Verdict& verdict);

/// True for words that name no mistake, so that equal words of two kernels say nothing in common.
bool is_unknown(const std::string& mistake);

}  // namespace assay
