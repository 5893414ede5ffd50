// Style sheet of the HTML report.
#pragma once

namespace assay::html {

extern const char* const kStyle;

}  // namespace assay::html
