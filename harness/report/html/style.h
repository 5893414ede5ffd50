// How the HTML report looks.
#pragma once

namespace assay::html {

extern const char* const kStyle;

}  // namespace assay::html
