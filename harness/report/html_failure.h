// One verdict in full, as a section of the HTML report.
#pragma once

#include <string>

#include "harness/core/verdict.h"

namespace assay::html {

/// `number` is its place in the run, by which links find it.
std::string failure_section(const Verdict& verdict, size_t number);

/// The same in one line.
std::string failure_line(const Verdict& verdict);

}  // namespace assay::html
