// Text that others wrote (libraries, dumps, recordings, names of files), made safe for a terminal, a table and a shell.
#pragma once

#include <string>
#include <string_view>

namespace assay {

/// Text for one line of a terminal or one cell of a table: what could steer a terminal, break a line or is no UTF-8 becomes its
/// bytes in words, "\x1b", "\xff", "\n". Everything else, umlauts and signs too, stays as it is.
std::string printable(std::string_view text);

/// The same for a text of several lines: line feeds stay.
std::string printable_lines(std::string_view text);

/// A cell of a comma-separated table, in quotes where a reader would otherwise take it for several or drop its blanks.
std::string csv_cell(const std::string& text);

/// An argument as a POSIX shell reads it back: as it is if nothing in it is special, else in quotes, bytes that printable() would
/// escape as $'\x1b'.
std::string shell_word(std::string_view text);

}  // namespace assay
