// Reads text files completely, with a size limit, and without blocking on pipes.
#pragma once

#include <cstddef>
#include <string>

namespace assay {

/// Size limit of a text file. The largest file that this program writes has 5 MB.
inline constexpr size_t kMostFileBytes = size_t{64} << 20;

/// The content of a regular file, of standard input (`-`), or of an open descriptor (`/dev/fd/N`, `/dev/stdin`, `<(...)` of a
/// shell). Named pipes, devices and sockets are rejected, since reading them may never end.
///
/// Throws TableError: unreadable, not a regular file, or larger than kMostFileBytes.
std::string read_text(const std::string& path);

}  // namespace assay
