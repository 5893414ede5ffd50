// JUnit XML, for CI systems that show tests.
#pragma once

#include <string>

#include "harness/core/call.h"
#include "harness/report/provenance.h"
#include "harness/run/run.h"

namespace assay {

/// One testsuite for each op, one testcase for each verdict. A verdict as expected is no failure; broken is an error; an expected
/// deviation is a skip that says so. A failure's message ends with its cause. Provenance is in the properties.
std::string junit_text(const RunResult& result, const LibraryInfo& library, const Provenance& provenance);

}  // namespace assay
