// Makes text from untrusted sources (libraries, dumps, recordings, file names) safe for a terminal, a table and a shell.
#pragma once

#include <string>
#include <string_view>

#include "reference/table/near.h"

namespace assay {

/// A CSV cell; quoted if it contains a separator, quotes or outer blanks.
std::string csv_cell(const std::string& text);

/// An argument quoted for a POSIX shell, unless it needs no quotes. Bytes that printable() would escape become $'\x1b'.
std::string shell_word(std::string_view text);

}  // namespace assay
