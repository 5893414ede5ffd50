// Where elements lie, as the author of a plug-in needs it: address formulas, shapes and what padding must hold.
#pragma once

#include <string>
#include <vector>

#include "suites/rows/row_case.h"

namespace assay {

/// A layout of scales; `pad` is the contract's cell of rules.
std::vector<std::string> layout_lines(const std::string& tensor, const Layout& layout, const std::string& pad);

/// Of the scales of a case; empty if it has none.
std::vector<std::string> row_layout_lines(const RowCase& c);

}  // namespace assay
