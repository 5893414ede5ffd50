// The one way in which a file of text comes into the program: whole, of bounded size, and never waited for by surprise.
#pragma once

#include <cstddef>
#include <string>

namespace assay {

/// Largest file of text. The largest that this program writes has 5 MB; what is larger is another kind of file.
inline constexpr size_t kMostFileBytes = size_t{64} << 20;

/// Everything in a regular file, in standard input (`-`), or in an open descriptor (`/dev/fd/N`, `/dev/stdin`, what a shell makes of
/// `<(...)`). Other pipes, devices and sockets are refused, because a read of them may never end.
///
/// Throws TableError: cannot be read, is no regular file, is larger than kMostFileBytes.
std::string read_text(const std::string& path);

}  // namespace assay
