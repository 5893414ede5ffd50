// One verdict in full, as a part of the HTML report.
#pragma once

#include "harness/compare/verdict.h"
#include "harness/report/html/parts.h"

namespace assay::html {

/// `title` names the case, or the cases if it has twins.
void failure(Node card, const Verdict& verdict, const std::string& title);

}  // namespace assay::html
