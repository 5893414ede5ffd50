// The calls of one case, and what a verdict says of one that gave no outputs.
#pragma once

#include <optional>
#include <string>

#include "harness/compare/verdict.h"
#include "harness/core/call.h"

namespace assay {

/// Books a call that gave no outputs. True if it did give them.
bool answered(const CallResult& result, Verdict& verdict);

/// All calls of a case. Empty, and the verdict says why, if one of them gave no outputs or other bits.
std::optional<CallResult> call_repeatedly(const CallRequest& request, const Backend& backend, int repeat, Verdict& verdict);

/// The first output element in which call number `call` differs from the first, in words; empty if there is none.
std::string call_difference(const CallResult& first, const CallResult& again, int call);

}  // namespace assay
