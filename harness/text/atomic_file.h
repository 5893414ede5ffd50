// Files that are either the old one or the new one, also after a crash.
#pragma once

#include <string>
#include <string_view>

namespace assay {

/// Writes `text` beside `path`, flushes it to the disk and renames it over `path`. Missing folders are made. A link stays one: its
/// target is replaced. What is no regular file (a device, a pipe, a descriptor of this process such as /dev/stdout) is written to
/// and never replaced.
/// Throws std::system_error naming the path and the system's reason; then `path` is as before and nothing is left beside it.
void write_atomically(const std::string& path, std::string_view text);

/// Throws what write_atomically() would throw for this path now, and makes its missing folders. What a pipe or a full disk will say
/// only writing shows.
void require_writable(const std::string& path);

}  // namespace assay
