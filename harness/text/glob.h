// Shell patterns over case ids, kernel names and fault names.
#pragma once

#include <string_view>

namespace assay {

/// True if `*` (any run of characters, also '/' and '.') and `?` (one character) in `pattern` make it the whole of `text`.
bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace assay
