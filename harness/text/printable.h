// Text that others wrote (libraries, dumps, recordings, names of files), made safe for a terminal, a table and a shell.
#pragma once

#include <string>
#include <string_view>

#include "reference/table/near.h"

namespace assay {

/// A cell of a comma-separated table, in quotes where a reader would otherwise take it for several or drop its blanks.
std::string csv_cell(const std::string& text);

/// An argument as a POSIX shell reads it back: as it is if nothing in it is special, else in quotes, bytes that printable() would
/// escape as $'\x1b'.
std::string shell_word(std::string_view text);

}  // namespace assay
