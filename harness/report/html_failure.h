// One verdict in full, as a part of the HTML report.
#pragma once

#include <string>

#include "harness/core/verdict.h"

namespace assay::html {

/// `title` names the case, or the cases if it has twins.
std::string failure_body(const Verdict& verdict, const std::string& title);

}  // namespace assay::html
