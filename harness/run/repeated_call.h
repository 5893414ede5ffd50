// Makes the calls of one case, and records failed calls in the verdict.
#pragma once

#include <optional>
#include <string>

#include "harness/compare/verdict.h"
#include "harness/core/call.h"

namespace assay {

/// Records a failed call in the verdict. Returns true if the call produced outputs.
bool answered(const CallResult& result, Verdict& verdict);

/// Makes all calls of a case. Returns nothing if one failed or returned different bits; the verdict then says why.
std::optional<CallResult> call_repeatedly(const CallRequest& request, const Backend& backend, int repeat, Verdict& verdict);

/// The first output element in which call number `call` differs from the first call, as text; empty if there is none.
std::string call_difference(const CallResult& first, const CallResult& again, int call);

}  // namespace assay
