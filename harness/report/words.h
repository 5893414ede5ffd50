// The words that every report uses for the same things.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "harness/compare/verdict.h"

namespace assay {

/// "[2, 256]"
std::string shape_text(const std::array<int64_t, 2>& shape);

/// Code and value as everywhere in reports: "0xd5 = -13".
std::string code_text(const std::string& format, uint32_t code, double value);

/// The code alone, as wide as the format: "0xd5".
std::string code_digits(const std::string& format, uint32_t code);

/// "0xd6 = -14", or two of them with dots between.
std::string accepted_text(const std::string& format, const Element& element);

/// "-8 ulp of e4m3fn", or what else is wrong with an element that has no distance.
std::string distance_text(const std::string& format, const Element& element);

/// ", every one toward zero": which way the wrong elements err, if that is a pattern; else empty.
std::string direction_text(const TensorFinding& finding);

/// "q e4m3fn: 159 of 256 codes, 0.2 % subnormal, 0 % saturated, 0 % NaN"
std::string data_text(const DataPower& data);

/// "split-K 2; the library said split-K 3": the program that outputs come nearest to. Empty of a contract that has one.
std::string program_text(const Verdict& verdict);

/// One line that says what is wrong with a verdict: its message, or the tensors that do not agree.
std::string headline(const Verdict& verdict);

/// The same with the first cause that is known: "q: 12 of 30 elements outside, ...; cause: explains 12 of 12 ...".
std::string headline_with_cause(const Verdict& verdict);

}  // namespace assay
