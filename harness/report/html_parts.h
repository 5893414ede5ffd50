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

/// A bar of that share of its full width.
std::string bar(double share);

/// "12.5 %"; never "0 %" for what is not 0, nor "100 %" for what is not all.
std::string percent(int64_t count, int64_t of);

std::string code(const std::string& text);  ///< escaped, in the typeface of codes

/// Text that does not matter at first sight; markup in, markup out.
std::string soft(const std::string& markup);

/// A table or drawing that may be wider than a narrow page: it scrolls by itself, the page does not.
std::string wide(const std::string& markup);

/// The section of a cause in the page: its number counts from 0 here, from 1 for readers.
std::string cause_link(size_t number, const std::string& markup);

/// Rows of cells that are markup already; the first row is the head. Empty without rows below the head.
std::string table(const std::string& css_class, const std::vector<std::vector<std::string>>& rows);

}  // namespace assay::html
