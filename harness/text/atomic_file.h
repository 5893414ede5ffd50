// Atomic file writes: after a crash a file has either its old or its new content.
#pragma once

#include <string>
#include <string_view>

namespace assay {

/// Writes `text` to a temporary file beside `path`, flushes it to disk and renames it over `path`. Creates missing folders. A
/// symbolic link is kept; its target is replaced. A path that is not a regular file (a device, a pipe, a descriptor of this
/// process such as /dev/stdout) is written to, never replaced. Throws std::system_error naming the path and the reason; then
/// `path` is unchanged and no temporary file remains.
void write_atomically(const std::string& path, std::string_view text);

/// Throws what write_atomically() would throw for this path now, and creates its missing folders. Errors of pipes and full disks
/// only show on writing.
void require_writable(const std::string& path);

}  // namespace assay
