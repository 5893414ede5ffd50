// Words of error messages: near matches, and text from tables made safe for printing.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

// Near matches for a misspelt name: "did you mean ...".

/// Least number of inserted, deleted, replaced or swapped neighbouring characters that turn one word into the other.
int edit_distance(std::string_view a, std::string_view b);

/// Up to three similar candidates, closest first: at most a third of the letters differ, or one contains the other.
std::vector<std::string> near_matches(std::string_view word, std::span<const std::string> candidates);

/// "; did you mean 'a' or 'b'?", or "; there are: a, b, c" (at most 20) if nothing is similar. Empty without candidates.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

// Sanitizes text from files and libraries for messages: printable characters only, and limited length.

/// Longest quotation in a message, in bytes; every known name has less than half of that.
inline constexpr size_t kMostQuoted = 100;
/// Longest error message, in bytes; the longest one of this program lists twenty names.
inline constexpr size_t kMostMessage = 2000;

/// Length in bytes of the first character if it is printable and allowed in XML 1.0, otherwise 0. Not printable: control
/// characters below 0x20, U+0080 to U+009F, and marks that change the text direction.
size_t printable_length(std::string_view text);

/// A byte as an escape: `\n`, `\x1b`.
std::string byte_in_words(char c);

/// Text for one line of a terminal or one table cell. Bytes that could control a terminal or break a line, and invalid UTF-8,
/// become escapes: "\x1b", "\xff", "
/// ". All other characters are unchanged.
std::string printable(std::string_view text);

/// The same for several lines: line feeds are kept.
std::string printable_lines(std::string_view text);

/// The first kMostQuoted bytes, followed by dots if the text is longer.
std::string shortened(std::string_view text);

/// Sanitizes a message that may quote anything: printable, every quotation '...' shortened, and at most kMostMessage bytes.
std::string message_text(std::string_view text);

}  // namespace assay
