// Any contract in words, by its flow.
#pragma once

#include <string>
#include <vector>

namespace assay {

/// One line a cell, for bf16 where that depends on the format. Throws std::out_of_range with near matches.
std::vector<std::string> contract_lines(const std::string& id);

}  // namespace assay
