// Words of error messages: near matches, and texts from tables that are safe to print.
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

/// Up to three candidates that are near `word`, nearest first: at most a third of its letters differ, or one contains the other.
std::vector<std::string> near_matches(std::string_view word, std::span<const std::string> candidates);

/// "; did you mean 'a' or 'b'?" or, if nothing is near, "; there are: a, b, c" (at most 20 of them). Empty without candidates.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

// What a message may quote of a file or a library: characters that a terminal shows, and not more of them than a person reads.

/// Longest quote in a message. The names of this program and of kernels that we know have less than half of it.
inline constexpr size_t kMostQuoted = 100;
/// Longest message about one mistake: the longest of ours lists twenty names.
inline constexpr size_t kMostMessage = 2000;

/// Bytes of the first character if a terminal shows it and XML 1.0 allows it, else 0. Control characters are none of them, neither those
/// below 0x20 nor U+0080 to U+009F, nor the marks that turn the direction of what follows.
size_t printable_length(std::string_view text);

/// A byte as a word: `\n`, `\x1b`.
std::string byte_in_words(char c);

/// Text for one line of a terminal or one cell of a table: what could steer a terminal, break a line or is no UTF-8 becomes its bytes in
/// words, "\x1b", "\xff", "\n". Everything else, umlauts and signs too, stays as it is.
std::string printable(std::string_view text);

/// The same for words of several lines: line feeds stay.
std::string printable_lines(std::string_view text);

/// The first kMostQuoted bytes, and dots for the rest.
std::string shortened(std::string_view text);

/// A message that may quote anything: printable, every quote '...' shortened, and the whole cut to kMostMessage bytes.
std::string message_text(std::string_view text);

}  // namespace assay
