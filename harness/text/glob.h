// Glob patterns for case ids, kernel names and mutant names.
#pragma once

#include <string_view>

namespace assay {

/// Whether `pattern` matches all of `text`. `*` matches any run of characters, including '/' and '.'; `?` matches one character.
bool glob_match(std::string_view pattern, std::string_view text);

/// Whether one of several patterns separated by | matches.
bool any_glob_matches(std::string_view patterns, std::string_view text);

}  // namespace assay
