// Texts of error messages: similar names for a misspelt one, and text from files made safe for printing.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

// Similar names for a misspelt one: "did you mean ...".

/// The least number of edits that turn one word into the other: insert, delete or replace a character, or swap two neighbours.
int edit_distance(std::string_view a, std::string_view b);

/// Up to three similar candidates, the closest first: at most a third of the letters differ, or one contains the other.
std::vector<std::string> near_matches(std::string_view word, std::span<const std::string> candidates);

/// "; did you mean 'a' or 'b'?"; if nothing is similar, "; there are: a, b, c" (at most 20 names). Empty without candidates.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

// Makes text from files and libraries safe for messages: printable characters only, and a limited length.

/// Longest quotation in a message, in bytes; no known name has half as many bytes.
inline constexpr size_t kMostQuoted = 100;
/// Longest error message, in bytes; the longest message of this program lists twenty names.
inline constexpr size_t kMostMessage = 2000;

/// Length in bytes of the first character if it is printable and allowed in XML 1.0, otherwise 0. Not printable: control
/// characters (below 0x20, and U+007F to U+009F), line separators, and marks that change the text direction.
size_t printable_length(std::string_view text);

/// The escape of a byte: `\n`, `\x1b`.
std::string byte_in_words(char c);

/// Text for one line of a terminal or one table cell. Bytes that could control a terminal or break a line, and invalid UTF-8,
/// become escapes such as `\x1b`, `\xff` or `\n`.
/// All other characters are unchanged.
std::string printable(std::string_view text);

/// printable() for text of several lines: line feeds are kept.
std::string printable_lines(std::string_view text);

/// The first kMostQuoted bytes, with dots after them if the text is longer.
std::string shortened(std::string_view text);

/// A message that may quote anything: made printable, every quotation '...' shortened, and cut to kMostMessage bytes.
std::string message_text(std::string_view text);

}  // namespace assay
