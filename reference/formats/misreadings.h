// Mistakes of software that decodes 8-bit floating-point codes, for mutants that only the diagnosis uses.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "reference/formats/format.h"

namespace assay {

/// The number that a wrong decoder returns for a code.
using CodeReader = std::function<double(const Format& format, uint32_t code)>;

struct CodeMisreading {
  std::string words;  ///< "subnormal codes are read as 0"
  CodeReader read;
};

/// Mistakes with subnormal codes, the leading 1, the mantissa's bits, the exponent's bits, the sign and NaN. Empty unless the
/// format has 8 bits, a sign, an exponent and a mantissa.
std::vector<CodeMisreading> code_misreadings(const Format& format);

}  // namespace assay
