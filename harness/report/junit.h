// JUnit XML, for CI systems that show tests.
#pragma once

#include <string>
#include <string_view>

#include "harness/backend/call.h"
#include "harness/core/run.h"

namespace assay {

/// One testsuite for each op, one testcase for each verdict. A verdict as expected is no failure; broken is an error; an expected
/// deviation is a skip that says so.
std::string junit_text(const RunResult& result, const LibraryInfo& library);

/// Text for an attribute or element: the five entities, and U+FFFD for what XML 1.0 does not allow at all (control characters,
/// invalid UTF-8).
std::string xml_escaped(std::string_view text);

}  // namespace assay
