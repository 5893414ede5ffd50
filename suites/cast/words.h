// Casts in words: what a profile does, and on which inputs two of them differ.
#pragma once

#include <string>
#include <vector>

#include "reference/casts/cast_profile.h"
#include "reference/casts/cast_runs.h"

namespace assay {

/// "43e80001 = 464.000031"
std::string input_text(const CastSource& source, uint64_t input);

/// "43e80001 .. 7f7fffff = 464.000031 .. 3.40282347e+38"
std::string inputs_text(const CastSource& source, uint64_t first, uint64_t last);

/// "7e = 448"
std::string cast_code_text(const Format& format, uint32_t code);

/// What becomes of the inputs that implementations disagree about.
std::vector<std::string> cast_lines(const CastProfile& profile);

/// One line for each run of inputs that two profiles of one source turn into different codes; first of all how many inputs there
/// are.
std::vector<std::string> difference_lines(const CastProfile& a, const CastProfile& b);

}  // namespace assay
