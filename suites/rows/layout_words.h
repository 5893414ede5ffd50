// Describes storage layouts for authors of plug-ins: address formulas, shapes and padding rules.
#pragma once

#include <string>
#include <vector>

#include "suites/rows/row_case.h"

namespace assay {

/// A scale layout; `pad` is the contract's cell.
std::vector<std::string> layout_lines(const std::string& tensor, const Layout& layout, const std::string& pad);

/// The scale layout of a case; empty if it has no scales.
std::vector<std::string> row_layout_lines(const RowCase& c);

}  // namespace assay
