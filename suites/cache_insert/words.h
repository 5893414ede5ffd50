// A contract of a paged cache in words: its formulas and its record, and what they made of one number of a token.
#pragma once

#include <string>
#include <vector>

#include "harness/core/bound_case.h"
#include "suites/cache_insert/cache_case.h"

namespace assay {

/// One line a cell, and one a part of the record. `x`: format of the inputs.
std::vector<std::string> cache_lines(const std::string& contract, const Format& x);

/// Where the parts of a token's record lie.
std::vector<std::string> record_lines(const CacheCase& c);

/// Where number `column` of a row goes and what every step of every cell makes of it.
std::vector<std::string> trace_number(const CacheCase& c, const Problem& problem, int64_t row, int64_t column);

}  // namespace assay
