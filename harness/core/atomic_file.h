// Files that are either the old one or the new one, also after a crash.
#pragma once

#include <string>
#include <string_view>

namespace assay {

/// Writes `text` beside `path`, flushes it to the disk and renames it over `path`. Missing folders are made.
/// Throws std::runtime_error naming the path and the system's reason; then `path` is as before and nothing is left beside it.
void write_atomically(const std::string& path, std::string_view text);

}  // namespace assay
