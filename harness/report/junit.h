// JUnit XML, for CI systems.
#pragma once

#include <string>

#include "harness/core/call.h"
#include "harness/report/provenance.h"
#include "harness/run/run.h"

namespace assay {

/// One testsuite per op, one testcase per verdict. An expected verdict is not a failure. A broken kernel is an error. A known
/// failure is a skip with its reason. A failure's message ends with its cause. Properties hold the provenance.
std::string junit_text(const RunResult& result, const LibraryInfo& library, const Provenance& provenance);

}  // namespace assay
