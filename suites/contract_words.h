// Prints any contract as formulas, by its op kind.
#pragma once

#include <string>
#include <vector>

namespace assay {

/// One line per cell; uses bf16 where the text depends on the format. Throws std::out_of_range with similar ids.
std::vector<std::string> contract_lines(const std::string& id);

}  // namespace assay
