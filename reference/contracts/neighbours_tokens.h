// Steps of a cell as texts, and the other forms in which a kernel might have them.
#pragma once

#include <string>
#include <vector>

namespace assay {

std::vector<std::string> tokens_of(const std::string& cell);
/// "div" of "div(M)~2"
std::string verb_of(const std::string& token);
/// "M" of "div(M)~2"; empty if there are no arguments
std::string arguments_of(const std::string& token);
/// "~2" of "div(M)~2"; empty for a pinned step
std::string slack_of(const std::string& token);
/// Named by the flow: no constant.
bool is_quantity(const std::string& argument);

/// The last step of a code cell whose codes are integers, with another rule of rounding or of overflow.
std::vector<std::string> other_casts(const std::string& token);

/// The same step with another rule: of rounding, of NaN, of saturation, of a power of two; a division as a product.
std::vector<std::string> other_forms(const std::string& token);

}  // namespace assay
