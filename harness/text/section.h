// A part of a text file that a command writes: the lines between <!-- begin: NAME --> and <!-- end: NAME -->.
#pragma once

#include <string>

namespace assay {

/// Throws UsageError if the file lacks a mark, TableError if it cannot be read.
void require_section(const std::string& file, const std::string& name);

/// The whole file with `text` between the marks. Throws as require_section().
std::string with_section(const std::string& file, const std::string& name, const std::string& text);

/// Puts `text` between the marks. True if that changed the file. Throws as require_section().
bool write_section(const std::string& file, const std::string& name, const std::string& text);

/// The first line in which the section and `text` differ, as "FILE:LINE: has '...' and should have '...'"; empty if none does.
std::string section_difference(const std::string& file, const std::string& name, const std::string& text);

}  // namespace assay
