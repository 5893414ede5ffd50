// Text about casts: their behaviour, and the inputs on which two differ.
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

/// Results for inputs on which implementations differ.
std::vector<std::string> cast_lines(const CastProfile& profile);

/// The number of inputs, then one line for each run of inputs for which two casts of one source format give different codes.
std::vector<std::string> difference_lines(const CastProfile& a, const CastProfile& b);

}  // namespace assay
