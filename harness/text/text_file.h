// Text files: atomic writes, generated sections, the first line in which two texts differ, and digests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct XXH3_state_s;

namespace assay {

// Atomic file writes: after a crash a file has either its old or its new content.

/// Writes `text` to a temporary file beside `path`, flushes it to disk and renames it over `path`. Creates missing folders. A
/// symbolic link is kept; its target is replaced. A path that is not a regular file (a device, a pipe, a descriptor of this
/// process such as /dev/stdout) is written to, never replaced. Throws std::system_error naming the path and the reason; then
/// `path` is unchanged and no temporary file remains.
void write_atomically(const std::string& path, std::string_view text);

/// Checks a path before a long run: throws the error that write_atomically() would throw now, and creates missing folders. It
/// does not notice a closed pipe or a full disk, which only writing shows.
void require_writable(const std::string& path);

// A generated section of a text file: the lines between <!-- begin: NAME --> and <!-- end: NAME -->.

/// Throws UsageError if the file lacks a mark, TableError if it cannot be read.
void require_section(const std::string& file, const std::string& name);

/// The whole file with `text` between the marks. Throws like require_section().
std::string with_section(const std::string& file, const std::string& name, const std::string& text);

/// Replaces the section by `text`. Returns whether the file changed. Throws like require_section().
bool write_section(const std::string& file, const std::string& name, const std::string& text);

/// The first line in which the section differs from `text`, as "FILE:LINE: has '...' and should have '...'"; empty if none does.
std::string section_difference(const std::string& file, const std::string& name, const std::string& text);

// The first difference between two texts.

struct LineDifference {
  int64_t line = 1;  ///< line number in both texts
  std::string a, b;  ///< that line in each text; empty if the text has ended
};

/// The first line that differs, if any. If only the final line break differs, it is the empty line after the last one.
std::optional<LineDifference> first_difference(const std::string& a, const std::string& b);

// XXH3 of several byte ranges in sequence.

class Digest {
 public:
  Digest();
  void add(const void* bytes, size_t size);
  /// Digest of everything added so far.
  uint64_t value() const;
  /// value() as 16 hex digits.
  std::string text() const;

 private:
  struct Free {
    void operator()(XXH3_state_s* state) const;
  };
  std::unique_ptr<XXH3_state_s, Free> state_;
};

/// Digest of one byte range.
std::string digest_text(std::string_view bytes);

}  // namespace assay
