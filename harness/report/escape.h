// Text that is safe inside XML and HTML.
#pragma once

#include <string>
#include <string_view>

namespace assay {

/// Text for an attribute or element: the five entities, and U+FFFD for what XML 1.0 does not allow at all (control characters,
/// invalid UTF-8).
std::string xml_escaped(std::string_view text);

}  // namespace assay
