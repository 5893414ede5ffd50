// Text about a paged-cache contract: its formulas and record, and the trace of one number of a token.
#pragma once

#include <string>
#include <vector>

#include "harness/core/bound_case.h"
#include "suites/cache_insert/cache_case.h"

namespace assay {

/// One line per cell and per part of the record. `x`: format of the inputs.
std::vector<std::string> cache_lines(const std::string& contract, const Format& x);

/// The offsets of the parts of a token's record.
std::vector<std::string> record_lines(const CacheCase& c);

/// Where number `column` of a row is stored, and the result of every step.
std::vector<std::string> trace_number(const CacheCase& c, const Problem& problem, int64_t row, int64_t column);

}  // namespace assay
