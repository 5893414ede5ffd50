// Small pieces of the HTML report.
#pragma once

#include <string>
#include <vector>

#include "harness/core/verdict.h"

namespace assay::html {

/// Definitions that the other pieces refer to; once, at the head of the body.
std::string mark_definitions();

/// The sign of an outcome: a shape of its own, since colour alone would say nothing on paper.
std::string mark(Outcome outcome);

/// Outcomes that say something against a kernel or a case.
constexpr bool is_bad(Outcome outcome) { return outcome != Outcome::kPass && outcome != Outcome::kSkip; }

/// A bar of that share of its full width.
std::string bar(double share);

/// "12.5 %"; never "0 %" for what is not 0, nor "100 %" for what is not all.
std::string percent(int64_t count, int64_t of);

std::string code(const std::string& text);  ///< escaped, in the typeface of codes
std::string link(size_t section, const std::string& text);

/// Rows of cells that are markup already; the first row is the head. Empty without rows below the head.
std::string table(const std::string& css_class, const std::vector<std::vector<std::string>>& rows);

}  // namespace assay::html
