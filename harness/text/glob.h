// Shell patterns over case ids, kernel names and fault names.
#pragma once

#include <string_view>

namespace assay {

/// True if `*` (any run of characters, also '/' and '.') and `?` (one character) in `pattern` make it the whole of `text`.
bool glob_match(std::string_view pattern, std::string_view text);

/// Whether one of the patterns of a table's cell, with | between them, matches.
bool any_glob_matches(std::string_view patterns, std::string_view text);

}  // namespace assay
