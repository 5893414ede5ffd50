// Text that others wrote, made safe for XML and HTML.
#pragma once

#include <string>
#include <string_view>

#include "harness/core/printable.h"

namespace assay {

/// printable_lines() for an attribute or element, with the five entities.
std::string xml_escaped(std::string_view text);

}  // namespace assay
