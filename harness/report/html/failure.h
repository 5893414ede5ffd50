// One verdict in full, for the HTML report.
#pragma once

#include "harness/compare/verdict.h"
#include "harness/report/html/parts.h"

namespace assay::html {

/// `title` names the case, or several cases that differ only in warp size.
void failure(Node card, const Verdict& verdict, const std::string& title);

}  // namespace assay::html
