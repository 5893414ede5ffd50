// A generated section of a text file: the lines between <!-- begin: NAME --> and <!-- end: NAME -->.
#pragma once

#include <string>

namespace assay {

/// Throws UsageError if the file lacks a mark, TableError if it cannot be read.
void require_section(const std::string& file, const std::string& name);

/// The whole file with `text` between the marks. Throws like require_section().
std::string with_section(const std::string& file, const std::string& name, const std::string& text);

/// Replaces the section by `text`. Returns whether the file changed. Throws like require_section().
bool write_section(const std::string& file, const std::string& name, const std::string& text);

/// The first line in which the section differs from `text`, as "FILE:LINE: has '...' and should have '...'"; empty if none does.
std::string section_difference(const std::string& file, const std::string& name, const std::string& text);

}  // namespace assay
